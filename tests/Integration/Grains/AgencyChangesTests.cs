using Actors.Tests.Support;
using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Grains;

/// <summary>What was done to an agency is noted, also where an application did it straight in SQL.</summary>
public sealed class AgencyChangesTests(AgencyChangesTests.Migrated database)
    : IClassFixture<AgencyChangesTests.Migrated>
{
    private const string Settings =
        """
        {"name": "any", "timezone": "UTC", "overdue_cutoff_time": "17:00:00", "due_soon_threshold_days": 4}
        """;

    [Fact]
    public async Task An_insert_and_a_delete_are_noted_with_the_settings_and_the_login()
    {
        var agency = await AddAsync();
        await database.ExecuteAsync($"DELETE FROM agencies WHERE id = '{agency}'");

        Assert.Equal(
            [$"created {database.Login} {Settings}", $"deleted {database.Login} {Settings}"],
            await ChangesAsync(agency));
    }

    [Fact]
    public async Task A_change_is_noted_with_what_each_setting_was_and_is()
    {
        var agency = await AddAsync();

        await database.ExecuteAsync(
            "UPDATE agencies SET timezone = 'Asia/Tokyo', due_soon_threshold_days = 7, name = name "
            + $"WHERE id = '{agency}'");
        await database.ExecuteAsync($"UPDATE agencies SET name = 'other' WHERE id = '{agency}'");
        await database.ExecuteAsync($"UPDATE agencies SET overdue_cutoff_time = '09:30' WHERE id = '{agency}'");

        Assert.Equal(
            [
                """{"timezone": {"to": "Asia/Tokyo", "from": "UTC"},"""
                    + """ "due_soon_threshold_days": {"to": 7, "from": 4}}""",
                """{"name": {"to": "other", "from": "any"}}""",
                """{"overdue_cutoff_time": {"to": "09:30:00", "from": "17:00:00"}}""",
            ],
            (await ChangesAsync(agency))[1..].Select(change => change[$"settings_changed {database.Login} ".Length..]));
    }

    [Fact]
    public async Task What_changes_no_setting_is_not_noted()
    {
        var agency = await AddAsync();

        await database.ExecuteAsync(
            $"UPDATE agencies SET created_at = now(), timezone = timezone WHERE id = '{agency}'");
        await database.ExecuteAsync("UPDATE agencies SET name = 'nobody' WHERE false");

        Assert.Single(await ChangesAsync(agency));
    }

    [Theory]
    [InlineData("""{"key_id": "7", "name": "a key", "sub": "b"}""", "a key")]
    [InlineData("""{"name": "what she likes", "email": "ada@example.org", "sub": "b"}""", "ada@example.org")]
    [InlineData("""{"email": "ada@example.org", "sub": "b"}""", "ada@example.org")]
    [InlineData("""{"sub": "b"}""", "b")]
    [InlineData("""{"role": "anon"}""", "anon")]
    [InlineData("[]", null)]
    [InlineData("no json", null)]
    [InlineData("{\"name\": \"\\u0000\"}", null)]
    [InlineData("", null)]
    public async Task Whoever_the_request_names_is_noted_and_claims_that_are_none_keep_nobody_from_work(
        string claims, string? by)
    {
        await using var connection = await database.Source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using var claim = new NpgsqlCommand("SELECT set_config('request.jwt.claims', $1, true)", connection);
        claim.Parameters.Add(new() { Value = claims });
        await claim.ExecuteNonQueryAsync();
        await using var insert = new NpgsqlCommand(
            "INSERT INTO agencies (name, timezone) VALUES ('any', 'UTC') RETURNING id", connection);
        var agency = (Guid)(await insert.ExecuteScalarAsync())!;
        await transaction.CommitAsync();

        Assert.Equal([$"created {by ?? database.Login} {Settings}"], await ChangesAsync(agency));
    }

    [Fact]
    public async Task Every_row_of_a_statement_has_its_note_also_where_it_inserts_some_and_changes_others()
    {
        var there = await AddAsync();
        var added = Guid.NewGuid();

        await database.ExecuteAsync(
            $"""
            INSERT INTO agencies (id, name, timezone) VALUES ('{there}', 'moved', 'UTC'), ('{added}', 'new', 'UTC')
            ON CONFLICT (id) DO UPDATE SET name = excluded.name
            """);
        await database.ExecuteAsync(
            $"UPDATE agencies SET due_soon_threshold_days = 9 WHERE id IN ('{there}', '{added}')");

        Assert.Equal(["created", "settings_changed", "settings_changed"], await KindsAsync(there));
        Assert.Equal(["created", "settings_changed"], await KindsAsync(added));
    }

    [Fact]
    public async Task What_is_rolled_back_is_not_noted()
    {
        var agency = await AddAsync();
        await Assert.ThrowsAsync<PostgresException>(() => database.ExecuteAsync(
            $"UPDATE agencies SET name = 'other' WHERE id = '{agency}'; SELECT 1 / 0"));

        Assert.Single(await ChangesAsync(agency));
    }

    [Theory]
    [InlineData("UPDATE agency_changes SET changed_by = 'nobody'")]
    [InlineData("DELETE FROM agency_changes")]
    [InlineData("UPDATE agency_run_undos SET undone_by = 'nobody'")]
    [InlineData("DELETE FROM agency_run_undos")]
    public async Task The_silos_login_can_write_notes_and_change_none(string change)
    {
        await using var silo = NpgsqlDataSource.Create(database.SiloConnectionString);
        await using var command = silo.CreateCommand(change);

        var refusal = await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteNonQueryAsync());
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refusal.SqlState);
    }

    private Task<Guid> AddAsync() => database.AskAsync<Guid>(
        "INSERT INTO agencies (name, timezone) VALUES ('any', 'UTC') RETURNING id");

    private async Task<List<string>> ChangesAsync(Guid agency) => [.. (await database.AskAsync<string[]>(
        $$"""
        SELECT array_agg(concat_ws(' ', kind, changed_by, reason, CASE
          WHEN kind IN ('created', 'deleted') AND details = '{{Settings}}' THEN '{{Settings}}'
          ELSE details::text END) ORDER BY id)
        FROM agency_changes WHERE agency_id = '{{agency}}'
        """))];

    private Task<string[]> KindsAsync(Guid agency) => database.AskAsync<string[]>(
        $"SELECT array_agg(kind ORDER BY id) FROM agency_changes WHERE agency_id = '{agency}'");

    /// <summary>A migrated database, used by its owner as an application would.</summary>
    public sealed class Migrated : IAsyncLifetime
    {
        private TestDatabase? _database;
        private NpgsqlDataSource? _source;

        public NpgsqlDataSource Source => _source!;

        public string SiloConnectionString => _database!.SiloConnectionString;

        public string Login => new NpgsqlConnectionStringBuilder(_database!.ConnectionString).Username!;

        public async ValueTask InitializeAsync()
        {
            _database = await TestDatabase.CreateMigratedAsync();
            _source = NpgsqlDataSource.Create(_database.ConnectionString);
        }

        public async Task ExecuteAsync(string sql)
        {
            await using var command = Source.CreateCommand(sql);
            await command.ExecuteNonQueryAsync();
        }

        public async Task<T> AskAsync<T>(string sql)
        {
            await using var command = Source.CreateCommand(sql);
            return (T)(await command.ExecuteScalarAsync())!;
        }

        public async ValueTask DisposeAsync()
        {
            if (_source is not null) await _source.DisposeAsync();
            if (_database is not null) await _database.DisposeAsync();
        }
    }
}
