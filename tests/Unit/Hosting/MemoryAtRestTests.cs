using System.Runtime.CompilerServices;
using Actors.Silo.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Actors.Tests.Unit.Hosting;

/// <summary>Who was at work and rests gives memory back, once.</summary>
public sealed class MemoryAtRestTests
{
    private static readonly AllocationsSeen Burst = AllocationsSeen.Nothing.Look(AllocationsSeen.Much);

    [Fact]
    public void While_much_is_allocated_there_is_no_rest() =>
        Assert.False(Burst.Look(Burst.Total + AllocationsSeen.Little).HasComeToRest);

    [Fact]
    public void Who_has_allocated_much_and_then_little_has_come_to_rest() =>
        Assert.True(Burst.Look(Burst.Total + AllocationsSeen.Little - 1).HasComeToRest);

    [Fact]
    public void Who_has_allocated_little_since_the_last_rest_has_left_nothing_behind()
    {
        var atRest = Burst.Look(Burst.Total);

        var later = atRest.Look(atRest.Total + AllocationsSeen.Little - 1);
        Assert.False(later.HasComeToRest);
        Assert.False(later.Look(atRest.Total + AllocationsSeen.Much - 1).HasComeToRest);
    }

    [Fact]
    public void Little_from_look_to_look_adds_up()
    {
        var atRest = Burst.Look(Burst.Total);

        var half = atRest.Look(atRest.Total + AllocationsSeen.Little - 1);
        var nearly = half.Look(half.Total + AllocationsSeen.Little - 1);
        Assert.False(nearly.HasComeToRest);
        Assert.True(nearly.Look(atRest.Total + AllocationsSeen.Much).HasComeToRest);
    }

    /// <summary>What has survived to the oldest generation, and is no longer used, nobody else would collect.</summary>
    [Fact(Timeout = 60_000)]
    public async Task At_rest_what_is_no_longer_used_is_collected()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var time = new FakeTimeProvider();
        using var memory = new MemoryAtRest(time, NullLogger<MemoryAtRest>.Instance);
        await memory.StartAsync(cancellationToken);
        var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Abandon(gone);

        // Other tests of this process may be at work, and then this is no rest.
        while (!gone.Task.IsCompleted)
        {
            cancellationToken.ThrowIfCancellationRequested();
            time.Advance(AllocationsSeen.Pause);
            await Task.Yield();
        }

        await memory.StopAsync(cancellationToken);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Abandon(TaskCompletionSource gone)
    {
        var oldest = new Finalized(gone);
        GC.Collect();
        GC.Collect();
        Assert.Equal(GC.MaxGeneration, GC.GetGeneration(oldest));
        for (long allocated = 0; allocated < AllocationsSeen.Much; allocated += 1 << 10)
            GC.KeepAlive(new byte[1 << 10]);
    }

    private sealed class Finalized(TaskCompletionSource gone)
    {
        ~Finalized() => gone.TrySetResult();
    }
}
