using Npgsql;

namespace Actors.Tests.Support;

/// <summary>
/// A database of a test's own, mostly on the PostgreSQL server that all tests share, dropped when disposed.
/// </summary>
public sealed class TestDatabase : IAsyncDisposable
{
    private readonly string name;
    private readonly TestServer server;

    private TestDatabase(TestServer server, string name)
    {
        this.server = server;
        this.name = name;
        ConnectionString = On(server.OwnerConnectionString);
    }

    /// <summary>Connects as the database's owner, who is no superuser (CREATEROLE, CREATEDB).</summary>
    public string ConnectionString { get; }

    /// <summary>Connects to the same database as a superuser, for what only one can prepare.</summary>
    public string SuperuserConnectionString => On(server.SuperuserConnectionString);

    /// <summary>A new database with nothing in it.</summary>
    public static async Task<TestDatabase> CreateEmptyAsync()
    {
        var server = await TestServer.GetAsync();
        var name = $"test_{Guid.NewGuid():N}";
        await RunAsync(server.OwnerConnectionString, $"CREATE DATABASE {name}");
        return new TestDatabase(server, name);
    }

    /// <summary>
    /// A new database with every migration applied, cloned from a template that all test processes share.
    /// </summary>
    public static async Task<TestDatabase> CreateMigratedAsync() =>
        await CreateMigratedAsync(await TestServer.GetAsync());

    /// <summary>The same on a server that the tests of this process need not share.</summary>
    public static async Task<TestDatabase> CreateMigratedAsync(TestServer server)
    {
        var template = await server.TemplateAsync();
        var name = $"test_{Guid.NewGuid():N}";
        await RunAsync(server.OwnerConnectionString, $"CREATE DATABASE {name} TEMPLATE {template}");
        return new TestDatabase(server, name);
    }

    /// <summary>Connects as the silo's own login, once the database is migrated: it has the least rights.</summary>
    public string SiloConnectionString => As("actors_silo");

    /// <summary>Connects as the API's own login, once the database is migrated: it may act as callers.</summary>
    public string ApiConnectionString => As("actors_api");

    public async ValueTask DisposeAsync() =>
        await RunAsync(server.DroppingConnectionString, $"DROP DATABASE IF EXISTS {name} WITH (FORCE)");

    private static async Task RunAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private string As(string login) => new NpgsqlConnectionStringBuilder(ConnectionString)
    {
        Username = login,
        Password = MigratedTemplate.LoginPassword,
    }.ConnectionString;

    private string On(string connectionString) =>
        new NpgsqlConnectionStringBuilder(connectionString) { Database = name }.ConnectionString;
}
