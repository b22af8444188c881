using Actors.Silo.CommandLine;
using Actors.Silo.Database;
using Npgsql;

namespace Actors.Benchmarks.Databases;

/// <summary>
/// The one PostgreSQL of a run, for ours and for what it is measured beside: embedded, in `bench` under the checkout's
/// data folder (ACTORS_DATA names another), and durable (fsync) as `up`'s is. It has more memory than PostgreSQL's
/// default, for all alike.
/// </summary>
internal sealed class BenchmarkServer : IAsyncDisposable
{
    private static readonly (string Name, string Value)[] Settings =
    [
        ("shared_buffers", "1GB"),
        ("max_wal_size", "8GB"),
        ("checkpoint_timeout", "30min"),
        ("shared_preload_libraries", "pg_stat_statements"),
        ("track_io_timing", "on"),
        ("track_commit_timestamp", "on"),
    ];

    private readonly EmbeddedPostgres _embedded;
    private readonly HashSet<string> _made = [];

    private BenchmarkServer(EmbeddedPostgres embedded) => _embedded = embedded;

    /// <summary>What was changed of PostgreSQL's defaults, for the table.</summary>
    public static string Described => string.Join(", ", Settings.Select(setting => $"{setting.Name} {setting.Value}"));

    /// <summary>Starts it, or finds it up.</summary>
    /// <param name="report">Told, in whole sentences, what takes time.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<BenchmarkServer> StartAsync(Action<string> report, CancellationToken cancellationToken)
    {
        var options = new EmbeddedPostgresOptions
        {
            OwnerMayCreateDatabases = true,
            Report = report,
            Folder = Environment.GetEnvironmentVariable(GlobalOptions.DataVariable) is { Length: > 0 } named
                ? named
                : null,
        };
        var home = await EmbeddedPostgres.LocateAsync(options, cancellationToken);
        options = options with { Folder = Path.Combine(home, "bench") };
        var embedded = await EmbeddedPostgres.StartAsync(options, cancellationToken);
        if (!await AreSetAsync(embedded))
        {
            foreach (var (name, value) in Settings)
                await ExecuteAsync(embedded.SuperuserConnectionString, $"ALTER SYSTEM SET {name} = '{value}'");
            NpgsqlConnection.ClearAllPools();
            await embedded.DisposeAsync();
            embedded = await EmbeddedPostgres.StartAsync(options, cancellationToken);
            if (!await AreSetAsync(embedded))
            {
                throw new InvalidOperationException(
                    $"The PostgreSQL of the benchmarks is kept up by something else, with other settings: "
                    + $"`./actors down --data {options.Folder}` stops it.");
            }
        }

        // A run that was ended in the middle may have left what it had changed for itself.
        await ExecuteAsync(
            embedded.SuperuserConnectionString, "ALTER SYSTEM RESET autovacuum_naptime; SELECT pg_reload_conf()");
        return new BenchmarkServer(embedded);
    }

    /// <summary>A database with the product's schema and nothing in it, as the owner.</summary>
    public async Task<BenchmarkDatabase> CreateMigratedAsync(string name)
    {
        await DropAsync(name);
        await ExecuteAsync(_embedded.OwnerConnectionString, $"CREATE DATABASE {name}");
        await ExecuteAsync(
            On(_embedded.SuperuserConnectionString, name),
            "CREATE EXTENSION pg_stat_statements; CREATE EXTENSION pg_prewarm; "
            + "GRANT pg_read_all_stats TO actors_owner; GRANT pg_checkpoint TO actors_owner; "
            + "GRANT EXECUTE ON FUNCTION pg_stat_statements_reset(oid, oid, bigint) TO actors_owner");
        await CountPlanningAsync(name);
        var database = At(name);
        await new Silo.Migrations.MigrationRunner(database.OwnerConnectionString).UpAsync();
        await _embedded.EnsureLoginPasswordsAsync(CancellationToken.None);
        return database;
    }

    /// <summary>A copy of a database to which nobody is connected, file by file, checkpointed.</summary>
    public async Task<BenchmarkDatabase> CloneAsync(BenchmarkDatabase template, string name)
    {
        NpgsqlConnection.ClearAllPools();
        await DropAsync(name);
        await ExecuteAsync(
            _embedded.OwnerConnectionString,
            $"CREATE DATABASE {name} TEMPLATE {template.Name} STRATEGY FILE_COPY");
        await CountPlanningAsync(name);
        return At(name);
    }

    /// <summary>Has the time of planning counted, too; a copy of a database does not keep such a setting.</summary>
    private Task CountPlanningAsync(string name) => ExecuteAsync(
        _embedded.SuperuserConnectionString, $"ALTER DATABASE {name} SET pg_stat_statements.track_planning = on");

    /// <summary>Ends every session of it, too.</summary>
    public async Task DropAsync(string name)
    {
        _made.Add(name);
        NpgsqlConnection.ClearAllPools();
        await ExecuteAsync(_embedded.SuperuserConnectionString, $"DROP DATABASE IF EXISTS {name} WITH (FORCE)");
    }

    /// <summary>Drops every database that was made here.</summary>
    public async Task DropAllAsync()
    {
        foreach (var name in _made) await DropAsync(name);
    }

    /// <summary>Changes a setting of the whole server until what is answered is disposed of.</summary>
    public async Task<IAsyncDisposable> SetAsync(string name, string value)
    {
        var superuser = _embedded.SuperuserConnectionString;
        await ExecuteAsync(superuser, $"ALTER SYSTEM SET {name} = '{value}'; SELECT pg_reload_conf()");
        return new SettingBack(() => ExecuteAsync(superuser, $"ALTER SYSTEM RESET {name}; SELECT pg_reload_conf()"));
    }

    /// <summary>The major and minor version.</summary>
    public async Task<string> VersionAsync() =>
        (string)(await ScalarAsync(_embedded.SuperuserConnectionString, "SHOW server_version"))!;

    public ValueTask DisposeAsync()
    {
        NpgsqlConnection.ClearAllPools();
        return _embedded.DisposeAsync();
    }

    private static async Task<bool> AreSetAsync(EmbeddedPostgres embedded)
    {
        foreach (var (name, value) in Settings)
        {
            if ((string)(await ScalarAsync(embedded.SuperuserConnectionString, $"SHOW {name}"))! != value) return false;
        }

        return true;
    }

    private BenchmarkDatabase At(string name) => new(
        name,
        On(_embedded.OwnerConnectionString, name),
        On(_embedded.SiloConnectionString, name),
        On(_embedded.ApiConnectionString, name));

    private static string On(string connectionString, string database) =>
        new NpgsqlConnectionStringBuilder(connectionString) { Database = database }.ConnectionString;

    private static async Task ExecuteAsync(string connectionString, string sql)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        await using var connection = await source.OpenConnectionAsync();
        const StringSplitOptions options = StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries;
        foreach (var statement in sql.Split(';', options))
        {
            await using var command = new NpgsqlCommand(statement, connection) { CommandTimeout = 600 };
            await command.ExecuteNonQueryAsync();
        }
    }

    private static async Task<object?> ScalarAsync(string connectionString, string sql)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync();
    }

    private sealed class SettingBack(Func<Task> reset) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync() => await reset();
    }
}
