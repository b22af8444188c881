using Actors.Silo.Database;
using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Rule;

/// <summary>
/// A PostgreSQL server of its own that has pg_cron loaded, and an empty database of the owner's, in which a superuser
/// has made the extension. Where pg_cron is not installed the test is skipped, and says how to install it.
/// </summary>
internal sealed class CronCluster : IAsyncDisposable
{
    /// <summary>
    /// pg_cron runs its jobs through background workers here: through connections it would need a password.
    /// </summary>
    private const string Settings =
        """

        shared_preload_libraries = 'pg_cron'
        cron.database_name = 'actors'
        cron.use_background_workers = on
        """;

    private readonly string parent = Path.Combine(Path.GetTempPath(), $"actors-test-{Guid.NewGuid():N}");
    private EmbeddedPostgres? server;

    private CronCluster()
    {
    }

    public string OwnerConnectionString => server!.OwnerConnectionString;

    /// <summary>The server, unless pg_cron is missing: then the test that asks ends here, as skipped.</summary>
    public static async Task<CronCluster> StartAsync()
    {
        var cluster = new CronCluster();
        // Not a folder that is closed to others: as root, PostgreSQL runs as another user.
        Directory.CreateDirectory(cluster.parent);
        try
        {
            cluster.server = await cluster.StartServerAsync();
            var major = await cluster.AsSuperuserAsync<string>(
                "SELECT CASE WHEN EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_cron') THEN '' "
                + "ELSE split_part(current_setting('server_version'), '.', 1) END");
            Assert.SkipUnless(
                major.Length == 0,
                $"pg_cron for PostgreSQL {major} is not installed; on Debian and Ubuntu: apt-get install "
                + $"postgresql-{major}-cron");
            await cluster.server.DisposeAsync();
            await File.AppendAllTextAsync(Path.Combine(cluster.parent, "data/postgres/postgresql.conf"), Settings);
            cluster.server = await cluster.StartServerAsync();
            await cluster.AsSuperuserAsync<object?>("CREATE EXTENSION pg_cron");
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>In the owner's database, which is the one that pg_cron works in.</summary>
    public Task<T> AsSuperuserAsync<T>(string sql) => AskAsync<T>(
        new NpgsqlConnectionStringBuilder(server!.SuperuserConnectionString) { Database = "actors" }.ConnectionString,
        sql);

    public Task<T> AskAsync<T>(string sql) => AskAsync<T>(OwnerConnectionString, sql);

    public async ValueTask DisposeAsync()
    {
        if (server is not null) await server.DisposeAsync();
        Directory.Delete(parent, recursive: true);
    }

    private Task<EmbeddedPostgres> StartServerAsync() => EmbeddedPostgres.StartAsync(
        new EmbeddedPostgresOptions { Folder = Path.Combine(parent, "data"), IsDurable = false },
        CancellationToken.None);

    private static async Task<T> AskAsync<T>(string connectionString, string sql)
    {
        // No pool: the server goes away in between.
        var settings = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false };
        await using var connection = new NpgsqlConnection(settings.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync())!;
    }
}
