using System.Diagnostics;
using Actors.Silo.Database;

namespace Actors.Tests.Support;

/// <summary>
/// A PostgreSQL server for tests: embedded, made by the same code as `up`'s, without fsync. Most tests want the one in
/// `tests` under the checkout's data folder: all test processes of a checkout share it, each holds it until it ends,
/// and the last one that ends stops it; one that was killed leaves it to the next run. ACTORS_TEST_SERVER (a login with
/// CREATEROLE and CREATEDB, no superuser) and ACTORS_TEST_SUPERUSER, both connection strings, name another one instead.
/// </summary>
public sealed class TestServer : IAsyncDisposable
{
    private static readonly Lazy<Task<TestServer>> Shared = new(StartAsync);
    private readonly string? superuser;
    private readonly EmbeddedPostgres? embedded;
    private readonly Lazy<Task<string>> template;

    private TestServer(string owner, string? superuser, EmbeddedPostgres? embedded = null)
    {
        OwnerConnectionString = owner;
        this.superuser = superuser;
        this.embedded = embedded;
        template = new(() => MigratedTemplate.MakeAsync(this));
    }

    /// <summary>May make databases and roles; is no superuser.</summary>
    public string OwnerConnectionString { get; }

    public string SuperuserConnectionString => superuser
        ?? throw new InvalidOperationException("ACTORS_TEST_SERVER is set, and ACTORS_TEST_SUPERUSER is not.");

    /// <summary>
    /// For dropping databases: only a superuser may end the sessions of other logins, which outlive their pool by a
    /// moment.
    /// </summary>
    public string DroppingConnectionString => superuser ?? OwnerConnectionString;

    /// <summary>The server, started by the first test of the process that asks.</summary>
    public static Task<TestServer> GetAsync() => Shared.Value;

    /// <summary>Whether the environment names the server, so that there is no other for tests.</summary>
    public static bool IsNamed => Named is { Length: > 0 };

    internal static EmbeddedPostgresOptions Options { get; } = new()
    {
        IsDurable = false,
        OwnerMayCreateDatabases = true,
        Report = Console.Error.WriteLine,
    };

    /// <summary>One that nobody else uses, in a folder of its own; it stops when it is disposed.</summary>
    public static async Task<TestServer> StartInAsync(string folder)
    {
        var embedded = await EmbeddedPostgres.StartAsync(
            Options with { Folder = folder }, CancellationToken.None);
        return new TestServer(embedded.OwnerConnectionString, embedded.SuperuserConnectionString, embedded);
    }

    /// <summary>Copies the folder of a server that was stopped; the copy looks for a port of its own.</summary>
    public static async Task CopyAsync(string from, string to)
    {
        // With the owners of the files, which PostgreSQL insists on.
        using var copy = Process.Start("cp", ["-a", from, to]);
        await copy.WaitForExitAsync();
        if (copy.ExitCode != 0) throw new IOException($"{from} could not be copied to {to}.");
        var folder = DataFolder.At(to);
        (EmbeddedState.Load(folder)! with { Port = 0 }).Save(folder);
    }

    /// <summary>The database with every migration applied that its tests clone; made when it is first wanted.</summary>
    public Task<string> TemplateAsync() => template.Value;

    public async ValueTask DisposeAsync()
    {
        if (embedded is not null) await embedded.DisposeAsync();
    }

    private static string? Named => Environment.GetEnvironmentVariable("ACTORS_TEST_SERVER");

    private static async Task<TestServer> StartAsync()
    {
        if (IsNamed) return new TestServer(Named!, Environment.GetEnvironmentVariable("ACTORS_TEST_SUPERUSER"));
        var home = await EmbeddedPostgres.LocateAsync(Options, CancellationToken.None);
        var server = await StartInAsync(Path.Combine(home, "tests"));
        // No fixture spans all test projects and every runner; the end of the process does.
        AppDomain.CurrentDomain.ProcessExit += (_, _) => server.DisposeAsync().AsTask().GetAwaiter().GetResult();
        return server;
    }
}
