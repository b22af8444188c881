using System.Runtime.CompilerServices;
using Actors.Silo.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Actors.Tests.Unit.Hosting;

/// <summary>Who was at work and has come to rest gives memory back.</summary>
public sealed class MemoryAtRestTests
{
    private static readonly AllocationsSeen Burst = AllocationsSeen.Nothing.Look(AllocationsSeen.Much);

    [Fact]
    public void Who_has_allocated_much_has_come_to_rest_after_enough_looks_that_find_little()
    {
        var seen = Burst;
        for (var look = 1; look < AllocationsSeen.Enough; look++)
        {
            seen = seen.Look(seen.Total + AllocationsSeen.Little - 1);
            Assert.False(seen.HasComeToRest);
        }

        Assert.True(seen.Look(seen.Total + AllocationsSeen.Little - 1).HasComeToRest);
    }

    [Fact]
    public void One_look_that_finds_more_begins_the_count_anew()
    {
        var seen = Quiet(Burst, AllocationsSeen.Enough - 1);
        seen = seen.Look(seen.Total + AllocationsSeen.Little);
        Assert.False(seen.HasComeToRest);

        Assert.False(Quiet(seen, AllocationsSeen.Enough - 1).HasComeToRest);
        Assert.True(Quiet(seen, AllocationsSeen.Enough).HasComeToRest);
    }

    [Fact]
    public void Who_stays_at_rest_leaves_nothing_behind_until_it_adds_up()
    {
        var atRest = Quiet(Burst, AllocationsSeen.Enough);
        Assert.False(Quiet(atRest, 100).HasComeToRest);

        var nearly = atRest;
        while (nearly.Total + AllocationsSeen.Little / 2 < atRest.Total + AllocationsSeen.Much)
        {
            nearly = nearly.Look(nearly.Total + AllocationsSeen.Little / 2);
            Assert.False(nearly.HasComeToRest);
        }

        Assert.True(nearly.Look(atRest.Total + AllocationsSeen.Much).HasComeToRest);
    }

    /// <summary>What has survived to the oldest generation and is no longer used, hardly anybody collects.</summary>
    [Fact(Timeout = 60_000)]
    public async Task At_rest_what_is_no_longer_used_is_collected()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var time = new FakeTimeProvider();
        var told = new Told();
        using var memory = new MemoryAtRest(time, told);
        await memory.StartAsync(cancellationToken);
        var unused = Unused();

        // Other tests of this process may be at work, and then this is no rest.
        while (!told.Once.Task.IsCompleted)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (memory.ExecuteTask is { IsCompleted: true } ended) await ended;
            time.Advance(AllocationsSeen.Pause);
            await Task.Yield();
        }

        Assert.False(unused.IsAlive);
        Assert.StartsWith("At rest, with ", await told.Once.Task, StringComparison.Ordinal);
        await memory.StopAsync(cancellationToken);
    }

    private static AllocationsSeen Quiet(AllocationsSeen seen, int looks) =>
        Enumerable.Range(0, looks).Aggregate(seen, (last, _) => last.Look(last.Total));

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference Unused()
    {
        var oldest = new object();
        while (GC.GetGeneration(oldest) < GC.MaxGeneration) GC.Collect();
        for (long allocated = 0; allocated < AllocationsSeen.Much; allocated += 1 << 10)
            GC.KeepAlive(new byte[1 << 10]);
        return new WeakReference(oldest);
    }

    private sealed class Told : ILogger<MemoryAtRest>
    {
        public TaskCompletionSource<string> Once { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter) => Once.TrySetResult(formatter(state, exception));
    }
}
