using Actors.Silo.Database;

namespace Actors.Tests.Support;

/// <summary>
/// The PostgreSQL server of a test run: an embedded one in `tests` under the checkout's data folder, made by the same
/// code as `up`'s, without fsync. All test processes of a checkout share it, each holds it until it ends, and the last
/// one that ends stops it; one that was killed leaves it to the next run. ACTORS_TEST_SERVER (a login with CREATEROLE
/// and CREATEDB, no superuser) and ACTORS_TEST_SUPERUSER, both connection strings, name another server instead.
/// </summary>
public sealed class TestServer
{
    private static readonly Lazy<Task<TestServer>> Shared = new(StartAsync);
    private readonly string? superuser;

    private TestServer(string owner, string? superuser)
    {
        OwnerConnectionString = owner;
        this.superuser = superuser;
    }

    /// <summary>May make databases and roles; is no superuser.</summary>
    public string OwnerConnectionString { get; }

    public string SuperuserConnectionString => superuser
        ?? throw new InvalidOperationException("ACTORS_TEST_SERVER is set, and ACTORS_TEST_SUPERUSER is not.");

    /// <summary>
    /// Whoever drops a test's database: a superuser, where there is one, may also end connections that other logins
    /// closed a moment ago.
    /// </summary>
    public string DroppingConnectionString => superuser ?? OwnerConnectionString;

    /// <summary>The server, started by the first test of the process that asks.</summary>
    public static Task<TestServer> GetAsync() => Shared.Value;

    private static async Task<TestServer> StartAsync()
    {
        if (Environment.GetEnvironmentVariable("ACTORS_TEST_SERVER") is { Length: > 0 } named)
            return new TestServer(named, Environment.GetEnvironmentVariable("ACTORS_TEST_SUPERUSER"));
        var options = new EmbeddedPostgresOptions
        {
            IsDurable = false,
            OwnerMayCreateDatabases = true,
            Report = Console.Error.WriteLine,
        };
        var home = await EmbeddedPostgres.LocateAsync(options, CancellationToken.None);
        var embedded = await EmbeddedPostgres.StartAsync(
            options with { Folder = Path.Combine(home, "tests") }, CancellationToken.None);
        // No fixture spans all test projects and every runner; the end of the process does.
        AppDomain.CurrentDomain.ProcessExit += (_, _) => embedded.DisposeAsync().AsTask().GetAwaiter().GetResult();
        return new TestServer(embedded.OwnerConnectionString, embedded.SuperuserConnectionString);
    }
}
