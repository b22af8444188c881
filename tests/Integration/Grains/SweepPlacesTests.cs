using Actors.Grains;
using Actors.Tests.Support;
using Xunit;

namespace Actors.Tests.Integration.Grains;

/// <summary>A world whose sweep asks two agencies at once, and whose pauses are the test's.</summary>
public sealed class TwoAtOnceWorld : GrainWorld
{
    internal override GrainOptions Options { get; } = new() { AgenciesInFlight = 2 };
}

/// <summary>A sweep that has more to ask than it may ask at once.</summary>
public sealed class SweepPlacesTests(TwoAtOnceWorld world) : IClassFixture<TwoAtOnceWorld>
{
    [Fact]
    public async Task Agencies_that_do_not_answer_keep_those_behind_them_from_their_turn_for_2_s_at_most()
    {
        await world.ClearAsync();
        var held = new List<Guid>();
        for (var i = 0; i < 2; i++)
            held.Add(await world.AddServedAgencyAsync("2031-06-01T14:00:00Z", cutoffTime: "15:00"));
        var free = await world.AddServedAgencyAsync("2031-06-01T16:00:00Z");
        world.Clock.Now = GrainWorld.At("2031-06-01T17:01:00Z");
        var pauses = world.Pauses.Anew();
        await using var first = await HeldLock.OnAgencyAsync(world.Owner, held[0]);
        await using var second = await HeldLock.OnAgencyAsync(world.Owner, held[1]);
        var sweep = world.Coordinator.SweepAsync();
        while (await pauses.NextAsync() != TimeSpan.FromSeconds(2))
        {
        }

        pauses.Advance(TimeSpan.FromSeconds(2));

        await Eventually.HoldsAsync(
            "the free one was served", async () => (await world.LedgerAsync(free)) is [.., "2031-06-01 success 0"]);
        Assert.False(sweep.IsCompleted);
        await first.ReleaseAsync();
        await second.ReleaseAsync();
        await Eventually.HoldsAsync("those that were held are tried again", () =>
        {
            pauses.Advance(TimeSpan.FromSeconds(1));
            return Task.FromResult(sweep.IsCompleted);
        });
        Assert.Equal(3, (await sweep).AgenciesBroughtUpToDate);
    }
}
