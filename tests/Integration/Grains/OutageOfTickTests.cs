using Actors.Grains;
using Actors.Tests.Support;
using NodaTime;
using Xunit;

namespace Actors.Tests.Integration.Grains;

/// <summary>
/// What a tick does when sessions end under its statements; in a world of its own, whose coordinator has met no other
/// trouble.
/// </summary>
public sealed class OutageOfTickTests(PausingWorld world) : IClassFixture<PausingWorld>
{
    [Fact]
    public async Task A_tick_whose_every_attempt_met_an_outage_has_a_sweep_come_in_2_s_though_it_is_not_10_s_late()
    {
        await world.ClearAsync();
        var agency = await world.AddServedAgencyAsync("2031-04-19T16:00:00Z");
        var cutoff = GrainWorld.At("2031-04-19T17:00:00Z");
        world.Clock.Now = cutoff + Duration.FromSeconds(7);
        var pauses = world.Pauses.Anew();
        await world.EndSessionsThatWriteAsync("agency_runs");
        var tick = world.TickAsync(agency, cutoff);
        foreach (var pause in new GrainOptions().RetryPauses)
        {
            await pauses.NextAsync();
            pauses.Advance(pause);
        }

        await tick;
        await world.LetWriteAsync();
        await Eventually.HoldsAsync(
            "the coordinator has heard of it", () => Task.FromResult(pauses.WasSetFor(TimeSpan.FromSeconds(2))));
        pauses.Advance(TimeSpan.FromSeconds(2));

        var served = "SELECT EXISTS (SELECT FROM agency_runs "
            + $"WHERE agency_id = '{agency}' AND cutoff_date = '2031-04-19' AND trigger = 'catch_up')";
        await Eventually.HoldsAsync(served, () => world.ReadAsync<bool>(served));
    }
}
