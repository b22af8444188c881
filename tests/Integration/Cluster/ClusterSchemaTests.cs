using Actors.Tests.Support;
using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Cluster;

public sealed class ClusterSchemaTests : IAsyncLifetime
{
    private const string EveryObject =
        """
        SELECT object.type || ' ' || object.identity
        FROM (
          SELECT tableoid, oid FROM pg_namespace
          UNION ALL SELECT tableoid, oid FROM pg_class
          UNION ALL SELECT tableoid, oid FROM pg_proc
          UNION ALL SELECT tableoid, oid FROM pg_type
          UNION ALL SELECT tableoid, oid FROM pg_constraint
          UNION ALL SELECT tableoid, oid FROM pg_attrdef
          UNION ALL SELECT tableoid, oid FROM pg_trigger
        ) AS found (class_id, object_id)
        CROSS JOIN LATERAL pg_identify_object(class_id, object_id, 0) AS object
        ORDER BY 1
        """;

    private TestDatabase _database = null!;
    private NpgsqlDataSource _owner = null!;

    public async ValueTask InitializeAsync()
    {
        _database = await TestDatabase.CreateEmptyAsync();
        _owner = NpgsqlDataSource.Create(_database.ConnectionString + ";Include Error Detail=true");
    }

    public async ValueTask DisposeAsync()
    {
        await _owner.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task Down_leaves_what_was_there_before_up_and_up_can_follow_again()
    {
        var before = await ColumnAsync(EveryObject);
        await ClusterSchema.UpAsync(_owner);
        Assert.NotEqual(before, await ColumnAsync(EveryObject));

        await ClusterSchema.DownAsync(_owner);

        Assert.Equal(before, await ColumnAsync(EveryObject));
        await ClusterSchema.UpAsync(_owner);
        await ClusterSchema.VerifyAsync(_owner);
    }

    [Fact]
    public async Task Up_refuses_a_schema_that_somebody_else_made_and_says_what_to_do()
    {
        await ExecuteAsync("CREATE SCHEMA orleans; CREATE TABLE orleans.theirs ()");
        var before = await ColumnAsync(EveryObject);

        var refused = await Assert.ThrowsAsync<PostgresException>(() => ClusterSchema.UpAsync(_owner));

        Assert.Equal(PostgresErrorCodes.DuplicateSchema, refused.SqlState);
        Assert.Contains("\"orleans\" exists already", refused.MessageText, StringComparison.Ordinal);
        Assert.Contains("Rename it", refused.Hint, StringComparison.Ordinal);
        Assert.Equal(before, await ColumnAsync(EveryObject));
    }

    [Fact]
    public async Task Down_stops_at_what_somebody_else_put_into_the_schema_and_drops_nothing()
    {
        await ClusterSchema.UpAsync(_owner);
        await ExecuteAsync("CREATE TABLE orleans.theirs ()");

        var refused = await Assert.ThrowsAsync<PostgresException>(() => ClusterSchema.DownAsync(_owner));

        Assert.Contains("theirs", refused.Detail, StringComparison.Ordinal);
        await ClusterSchema.VerifyAsync(_owner);
    }

    [Fact]
    public async Task Verify_says_when_nothing_is_there()
    {
        var refused = await Assert.ThrowsAsync<PostgresException>(() => ClusterSchema.VerifyAsync(_owner));

        Assert.Contains("schema orleans is missing", refused.MessageText, StringComparison.Ordinal);
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var command = _owner.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private async Task<List<string>> ColumnAsync(string sql)
    {
        await using var command = _owner.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync();
        var values = new List<string>();
        while (await reader.ReadAsync()) values.Add(reader.GetString(0));
        return values;
    }
}
