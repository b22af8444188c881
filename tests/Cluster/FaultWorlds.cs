using System.Collections.Concurrent;
using Xunit;

namespace Actors.Tests.Cluster;

/// <summary>
/// The worlds that are there and that no test uses: to start one takes 10 s of processor, so that there are as many as
/// tests run at once, and each serves many.
/// </summary>
public sealed class FaultWorlds : IAsyncDisposable
{
    private readonly ConcurrentStack<FaultWorld> free = new();

    /// <summary>One that no other test has.</summary>
    public async Task<FaultWorld> TakeAsync() => free.TryPop(out var world) ? world : await FaultWorld.StartAsync();

    /// <summary>Leaves it to the next test, whatever has become of its silos.</summary>
    public void GiveBack(FaultWorld world) => free.Push(world);

    public async ValueTask DisposeAsync()
    {
        var failures = new List<Exception>();
        foreach (var world in free)
        {
            try
            {
                await world.DisposeAsync();
            }
            catch (Exception error)
            {
                failures.Add(error);
            }
        }

        if (failures.Count > 0) throw new AggregateException("A world could not be removed.", failures);
    }
}

/// <summary>
/// A test in a world, which it leaves as it found it, but for silos that are dead: unless it fails, and then nobody
/// else gets it.
/// </summary>
public abstract class FaultTest(FaultWorlds worlds) : IAsyncLifetime
{
    private FaultWorld? world;

    protected FaultWorld World => world ?? throw new InvalidOperationException("The test has not begun.");

    public async ValueTask InitializeAsync()
    {
        world = await worlds.TakeAsync();
        await world.SettleAsync();
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (world is null) return;
        if (TestContext.Current.TestState is { Result: not TestResult.Failed }) worlds.GiveBack(world);
        else await world.DisposeAsync();
    }
}
