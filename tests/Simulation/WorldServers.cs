using System.Collections.Concurrent;
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
    private readonly ConcurrentStack<TestServer> _free = new();
    private readonly List<Task<TestServer>> _starts = [];
    private readonly Lock _door = new();
    private readonly Lazy<Task<ServerFolder>> _folder = new(() => ServerFolder.MakeAsync("worlds"));
    private readonly Lazy<Task<string>> _first;
    private Task? _end;

    public WorldServers()
    {
        _first = new(MakeFirstAsync);
        AppDomain.CurrentDomain.ProcessExit += EndWithProcess;
    }

    /// <summary>
    /// A world waits for its database, and that for it: with one to each processor a fifth is idle. More than a dozen
    /// servers are more than a machine has memory for; and where the environment names a server there is but this one.
    /// </summary>
    public static int AtOnce { get; } = TestServer.IsNamed ? 1 : Math.Min(12, Environment.ProcessorCount * 3);

    /// <summary>Runs a world on a server that no other world uses meanwhile.</summary>
    /// <exception cref="InvalidOperationException">What must never be was; it tells how to replay it.</exception>
    /// <exception cref="ObjectDisposedException">The servers have been stopped.</exception>
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
        lock (_door) _end ??= EndAsync();
        await _end;
        AppDomain.CurrentDomain.ProcessExit -= EndWithProcess;
    }

    /// <summary>Who is interrupted does not wait for the worlds that run, and leaves no server behind.</summary>
    private void EndWithProcess(object? sender, EventArgs ended) =>
        DisposeAsync().AsTask().GetAwaiter().GetResult();

    private Task<TestServer> StartAsync()
    {
        if (TestServer.IsNamed) return TestServer.GetAsync();
        lock (_door)
        {
            ObjectDisposedException.ThrowIf(_end is not null, this);
            var start = StartCopyAsync(_starts.Count + 1);
            _starts.Add(start);
            return start;
        }
    }

    /// <summary>Also stops those that are only starting; nobody starts another by now.</summary>
    private async Task EndAsync()
    {
        foreach (var start in _starts)
        {
            try
            {
                await (await start).DisposeAsync();
            }
            catch (Exception error)
            {
                await Console.Error.WriteLineAsync($"A world's server could not be stopped: {error.Message}");
            }
        }

        if (_folder.IsValueCreated) (await _folder.Value).Dispose();
    }

    private async Task<TestServer> StartCopyAsync(int number)
    {
        var copy = Path.Combine((await _folder.Value).Path, $"{number}");
        await TestServer.CopyAsync(await _first.Value, copy);
        return await TestServer.StartInAsync(copy);
    }

    /// <summary>Answers the folder of a server that was stopped, with the template in it.</summary>
    private async Task<string> MakeFirstAsync()
    {
        var first = Path.Combine((await _folder.Value).Path, "first");
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
}
