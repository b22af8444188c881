using System.Diagnostics;
using System.Globalization;
using Actors.Silo.Database;
using Actors.Silo.Migrations;
using Npgsql;

namespace Actors.Tests.Cluster;

/// <summary>
/// A PostgreSQL that only these tests use, since it is stopped, cut off and starved: made by the code of `up`, durable,
/// with the schema, on a port that it keeps over restarts.
/// </summary>
public sealed class OwnPostgres : IAsyncDisposable
{
    private readonly string parent = Path.Combine(Path.GetTempPath(), $"actors-faults-{Guid.NewGuid():N}");
    private EmbeddedPostgres server = null!;
    private NpgsqlDataSource superuser = null!;

    /// <summary>As whom silos and API log in; with the least rights.</summary>
    public string SiloConnectionString => server.SiloConnectionString;

    public string OwnerConnectionString => server.OwnerConnectionString;

    public int Port => server.Port;

    /// <summary>Where all of it lies.</summary>
    public string Folder => parent;

    /// <summary>PostgreSQL's own data folder, which belongs to the user as whom it runs.</summary>
    public string ClusterFolder => Path.Combine(parent, "data/postgres");

    private EmbeddedPostgresOptions Options => new()
    {
        Folder = Path.Combine(parent, "data"),
        Purpose = EmbeddedPurpose.LeaveRunning,
    };

    public static async Task<OwnPostgres> StartAsync()
    {
        var postgres = new OwnPostgres();
        Directory.CreateDirectory(postgres.parent);
        await postgres.StartAgainAsync();
        await new MigrationRunner(postgres.OwnerConnectionString).UpAsync();
        await postgres.server.EnsureLoginPasswordsAsync(CancellationToken.None);
        return postgres;
    }

    /// <summary>Starts the server, and recovers what it left when it was stopped.</summary>
    public async Task StartAgainAsync()
    {
        server = await EmbeddedPostgres.StartAsync(Options, CancellationToken.None);
        superuser = NpgsqlDataSource.Create(AsSuperuser.ConnectionString);
    }

    /// <summary>As when the machine loses power: sessions are dropped, no checkpoint is made.</summary>
    public async Task StopImmediatelyAsync()
    {
        var pidFile = Path.Combine(ClusterFolder, "postmaster.pid");
        var process = int.Parse(File.ReadLines(pidFile).First(), CultureInfo.InvariantCulture);
        using (var kill = Process.Start("kill", ["-QUIT", $"{process}"])) await kill.WaitForExitAsync();
        await Support.Eventually.HoldsAsync("PostgreSQL is gone", () => Task.FromResult(!File.Exists(pidFile)));
        await superuser.DisposeAsync();
        await server.DisposeAsync();
    }

    /// <summary>
    /// Starts the server as a standby, as one is that a failover has not yet promoted: it can be read.
    /// </summary>
    public async Task StartAsStandbyAsync()
    {
        var signal = Path.Combine(ClusterFolder, "standby.signal");
        await File.WriteAllBytesAsync(signal, []);
        // The server takes it away when it is promoted, and runs as the user who owns its folder.
        using (var chown = Process.Start("chown", [$"--reference={ClusterFolder}", signal]))
            await chown.WaitForExitAsync();
        await StartAgainAsync();
    }

    /// <summary>As a superuser, past every limit that a test sets.</summary>
    public async Task ExecuteAsync(string sql, params object[] parameters)
    {
        await using var command = Command(sql, parameters);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>The first column of all rows, as a superuser.</summary>
    public async Task<IReadOnlyList<T>> ListAsync<T>(string sql, params object[] parameters)
    {
        await using var command = Command(sql, parameters);
        await using var reader = await command.ExecuteReaderAsync();
        var values = new List<T>();
        while (await reader.ReadAsync()) values.Add(await reader.GetFieldValueAsync<T>(0));
        return values;
    }

    /// <summary>What time it is, by its clock.</summary>
    public async Task<DateTime> NowAsync() => (await ListAsync<DateTime>("SELECT clock_timestamp()"))[0];

    /// <summary>A session of the test's own, of a superuser, that outlives restarts of nothing.</summary>
    public async Task<NpgsqlConnection> ConnectAsync()
    {
        var settings = AsSuperuser;
        settings.Pooling = false;
        var connection = new NpgsqlConnection(settings.ConnectionString);
        await connection.OpenAsync();
        return connection;
    }

    public async ValueTask DisposeAsync()
    {
        await superuser.DisposeAsync();
        await server.DisposeAsync();
        await EmbeddedPostgres.DownAsync(Options, CancellationToken.None);
        Directory.Delete(parent, recursive: true);
    }

    private NpgsqlConnectionStringBuilder AsSuperuser => new(server.SuperuserConnectionString)
    {
        Database = new NpgsqlConnectionStringBuilder(OwnerConnectionString).Database,
        ApplicationName = "fault suite",
    };

    private NpgsqlCommand Command(string sql, object[] parameters)
    {
        var command = superuser.CreateCommand(sql);
        foreach (var parameter in parameters) command.Parameters.Add(new() { Value = parameter });
        return command;
    }
}
