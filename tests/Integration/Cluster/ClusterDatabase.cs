using Actors.Silo.Cluster;
using Actors.Tests.Support;
using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Cluster;

/// <summary>
/// A migrated database. Orleans works there as actors_silo, so that
/// a right that is missing fails the test that needs it.
/// </summary>
public sealed class ClusterDatabase : IAsyncLifetime
{
    // Disposed even where they were not made: a failed start shall be told by its own error and no other.
    private TestDatabase? _database;
    private NpgsqlDataSource? _owner;
    private NpgsqlDataSource? _orleans;

    /// <summary>The owner's connections.</summary>
    public NpgsqlDataSource Owner => _owner!;

    /// <summary>Orleans' connections.</summary>
    public NpgsqlDataSource Orleans => _orleans!;

    public async ValueTask InitializeAsync()
    {
        _database = await TestDatabase.CreateMigratedAsync();
        _owner = NpgsqlDataSource.Create(_database.ConnectionString);
        _orleans = OrleansDataSource.Create(_database.SiloConnectionString);
    }

    public async ValueTask DisposeAsync()
    {
        if (_orleans is not null) await _orleans.DisposeAsync();
        if (_owner is not null) await _owner.DisposeAsync();
        if (_database is not null) await _database.DisposeAsync();
    }

    /// <summary>Orleans' own tables over this database, for a cluster and a service that nobody else uses.</summary>
    internal Task<OrleansTables> NewClusterAsync() =>
        OrleansTables.OpenAsync(Orleans, $"cluster-{Guid.NewGuid():N}", $"service-{Guid.NewGuid():N}");

    internal async Task ExecuteAsync(string sql)
    {
        await using var command = Owner.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>The first column of all rows.</summary>
    internal async Task<List<T>> ColumnAsync<T>(string sql)
    {
        await using var command = Owner.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync();
        var values = new List<T>();
        while (await reader.ReadAsync()) values.Add(reader.GetFieldValue<T>(0));
        return values;
    }
}
