using System.Collections.Concurrent;
using System.Diagnostics;
using Actors.Tests.Support;
using Npgsql;

namespace Actors.Tests.Simulation;

/// <summary>
/// PostgreSQL servers, one for each world that runs: worlds on one server are not the same worlds twice. Which dead
/// rows a server may remove depends on the oldest transaction of all its databases, what it has removed decides where
/// the next rows lie, and where rows tie, the one that lies first comes first. The first server is made, the others are
/// copies of it.
/// </summary>
public sealed class WorldServers : IAsyncDisposable
{
    /// <summary>A world waits for its database, and that for it: with one to each processor a fifth is idle.</summary>
    public static int AtOnce { get; } = Environment.ProcessorCount * 3;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("actors-worlds-");
    private readonly ConcurrentStack<TestServer> _free = new();
    private readonly ConcurrentBag<TestServer> _started = [];
    private readonly Lazy<Task<string>> _first;
    private int _last;
    private int _hasEnded;

    public WorldServers()
    {
        _first = new(MakeFirstAsync);
        AppDomain.CurrentDomain.ProcessExit += EndWithProcess;
        // PostgreSQL runs as a user that must get in.
        _folder.UnixFileMode |= UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
    }

    /// <summary>Runs a world on a server that no other world uses meanwhile.</summary>
    /// <exception cref="InvalidOperationException">What must never be was; it tells how to replay it.</exception>
    internal async Task<Report> RunAsync(WorldSettings settings, TextWriter? trace = null)
    {
        if (!_free.TryPop(out var server)) server = await StartAsync();
        try
        {
            return await World.RunAsync(settings, server, trace);
        }
        finally
        {
            _free.Push(server);
        }
    }

    public async ValueTask DisposeAsync()
    {
        AppDomain.CurrentDomain.ProcessExit -= EndWithProcess;
        if (Interlocked.Exchange(ref _hasEnded, 1) == 1) return;
        foreach (var server in _started) await server.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    /// <summary>Who is interrupted does not wait for the worlds that run, and leaves no server behind.</summary>
    private void EndWithProcess(object? sender, EventArgs ended) =>
        DisposeAsync().AsTask().GetAwaiter().GetResult();

    private async Task<TestServer> StartAsync()
    {
        // Where the environment names a server there is but this one.
        if (TestServer.IsNamed) return await TestServer.GetAsync();
        var copy = Path.Combine(_folder.FullName, $"{Interlocked.Increment(ref _last)}");
        await CopyAsync(await _first.Value, copy);
        var server = await TestServer.StartInAsync(copy);
        _started.Add(server);
        return server;
    }

    /// <summary>Answers the folder of a server that was stopped, with the template in it.</summary>
    private async Task<string> MakeFirstAsync()
    {
        var first = Path.Combine(_folder.FullName, "first");
        await using var server = await TestServer.StartInAsync(first);
        await server.TemplateAsync();
        await using var superuser = NpgsqlDataSource.Create(server.SuperuserConnectionString);
        // Its workers would come and go by the machine's clock.
        foreach (var setting in new[] { "autovacuum = off", "shared_buffers = '64MB'" })
        {
            await using var alter = superuser.CreateCommand($"ALTER SYSTEM SET {setting}");
            await alter.ExecuteNonQueryAsync();
        }

        return first;
    }

    private static async Task CopyAsync(string from, string to)
    {
        // With the owners of the files, which PostgreSQL insists on.
        using var copy = Process.Start("cp", ["-a", from, to]);
        await copy.WaitForExitAsync();
        if (copy.ExitCode != 0) throw new IOException($"{from} could not be copied to {to}.");
    }
}
