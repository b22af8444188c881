using Npgsql;

namespace Actors.Tests.Support;

/// <summary>
/// A database of a test's own on the shared PostgreSQL server of the test run, dropped when disposed.
/// </summary>
public sealed class TestDatabase : IAsyncDisposable
{
    private TestDatabase(string connectionString) => ConnectionString = connectionString;

    /// <summary>Connects as the database's owner, who is no superuser (CREATEROLE, CREATEDB).</summary>
    public string ConnectionString { get; }

    /// <summary>A new database with nothing in it.</summary>
    public static async Task<TestDatabase> CreateEmptyAsync()
    {
        var server = Environment.GetEnvironmentVariable("ACTORS_TEST_SERVER")
            ?? throw new InvalidOperationException("ACTORS_TEST_SERVER names no PostgreSQL server.");
        var name = $"test_{Guid.NewGuid():N}";
        await using (var source = NpgsqlDataSource.Create(server))
        {
            await using var create = source.CreateCommand($"CREATE DATABASE {name}");
            await create.ExecuteNonQueryAsync();
        }

        return new TestDatabase(new NpgsqlConnectionStringBuilder(server) { Database = name }.ConnectionString);
    }

    public async ValueTask DisposeAsync()
    {
        var builder = new NpgsqlConnectionStringBuilder(ConnectionString);
        var name = builder.Database;
        builder.Database = "postgres";
        builder.Pooling = false;
        await using var source = NpgsqlDataSource.Create(builder);
        await using var drop = source.CreateCommand($"DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        await drop.ExecuteNonQueryAsync();
    }
}
