using System.Diagnostics;
using System.Globalization;
using System.Net;
using Actors.Silo.Database;
using Actors.Silo.Hosting;
using Npgsql;

namespace Actors.Tests.Support;

/// <summary>
/// A pgbouncer in transaction mode in front of the test server, with fewer connections to it than its clients have to
/// the pooler. Where it is installed, the pools of grains and API go through one in the whole suite, unless
/// ACTORS_TEST_POOLER=0.
/// </summary>
public sealed class TestPooler : IAsyncDisposable
{
    /// <summary>Connections to the server for each database and login; the clients' pools have 16.</summary>
    public const int ServerConnections = 8;

    private static readonly Lazy<Task<Pooler?>> OfTheSuite = new(StartForTheSuiteAsync);
    private readonly string folder;
    private Process? process;

    private TestPooler(string folder, int port) =>
        (this.folder, Address) = (folder, new Pooler(IPAddress.Loopback.ToString(), port));

    public Pooler Address { get; }

    /// <summary>Debian's place; nothing is installed for a test.</summary>
    public static string? Program => new[] { "/usr/sbin/pgbouncer", "/usr/bin/pgbouncer" }.FirstOrDefault(File.Exists);

    /// <summary>What hosts of tests are given as their pooler; null where there is none, or it is unwanted.</summary>
    public static Task<Pooler?> OfTheSuiteAsync() => OfTheSuite.Value;

    /// <summary>The pools of grains and API connect here, whether there is a pooler or not.</summary>
    public static async Task<string> ThroughAsync(string connectionString) =>
        (await OfTheSuiteAsync())?.Through(connectionString) ?? connectionString;

    public static async Task<TestPooler> StartAsync()
    {
        var server = new NpgsqlConnectionStringBuilder((await TestServer.GetAsync()).OwnerConnectionString);
        var folder = Path.Combine(Path.GetTempPath(), $"actors-pooler-{Guid.NewGuid():N}");
        // Readable for the user as whom pgbouncer runs; the passwords are those of a test server.
        Directory.CreateDirectory(folder);
        var pooler = new TestPooler(folder, SiloPorts.FindAny(IPAddress.Loopback).Silo);
        await File.WriteAllTextAsync(Path.Combine(folder, "users"), string.Join('\n',
            $"\"{server.Username}\" \"{server.Password}\"",
            $"\"actors_silo\" \"{MigratedTemplate.LoginPassword}\"",
            $"\"actors_api\" \"{MigratedTemplate.LoginPassword}\"", ""));
        await File.WriteAllTextAsync(Path.Combine(folder, "pgbouncer.ini"), string.Create(CultureInfo.InvariantCulture,
            $"""
            [databases]
            * = host={server.Host} port={server.Port}
            [pgbouncer]
            pool_mode = transaction
            listen_addr = 127.0.0.1
            listen_port = {pooler.Address.Port}
            unix_socket_dir =
            auth_type = trust
            auth_file = {folder}/users
            default_pool_size = {ServerConnections}
            max_client_conn = 2000
            server_idle_timeout = 5
            """));
        await pooler.StartProcessAsync();
        return pooler;
    }

    /// <summary>Starts it again on its port, after it was killed.</summary>
    public async Task StartProcessAsync()
    {
        var account = (await ServerAccount.ForAsync("/nowhere", CancellationToken.None)).UserName;
        string[] user = account is null ? [] : ["-u", account];
        process = Process.Start(new ProcessStartInfo(
            Program ?? throw new InvalidOperationException("pgbouncer is not installed."),
            [.. user, "--quiet", Path.Combine(folder, "pgbouncer.ini")]) { RedirectStandardError = true })!;
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        await Eventually.HoldsAsync("pgbouncer listens", () =>
            Task.FromResult(!SiloPorts.IsFree(IPAddress.Loopback, Address.Port)));
    }

    /// <summary>Cuts every connection through it.</summary>
    public async Task KillAsync()
    {
        process!.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
        process = null;
    }

    public async ValueTask DisposeAsync()
    {
        if (process is not null) await KillAsync();
        Directory.Delete(folder, recursive: true);
    }

    private static async Task<Pooler?> StartForTheSuiteAsync()
    {
        if (Program is null || Environment.GetEnvironmentVariable("ACTORS_TEST_POOLER") is "0") return null;
        var pooler = await StartAsync();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => pooler.DisposeAsync().AsTask().GetAwaiter().GetResult();
        return pooler.Address;
    }
}
