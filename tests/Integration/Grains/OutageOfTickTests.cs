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
        await EndSessionsThatWriteAsync("agency_runs");
        var tick = world.TickAsync(agency, cutoff);
        foreach (var pause in new GrainOptions().RetryPauses)
        {
            await pauses.NextAsync();
            pauses.Advance(pause);
        }

        await tick;
        await LetWriteAsync();
        await Eventually.HoldsAsync("the sweep has served it", async () =>
        {
            await PassWhatIsSoonAsync(pauses);
            return await world.ReadAsync<bool>("SELECT EXISTS (SELECT FROM agency_runs "
                + $"WHERE agency_id = '{agency}' AND cutoff_date = '2031-04-19' AND trigger = 'catch_up')");
        });
    }

    /// <summary>
    /// What was set to come within 2 s: the sweep that the coordinator has come soon, or sooner where one had left the
    /// agency out before, and what an agency tries again. Without them nothing passes, and the sweep does not come.
    /// </summary>
    private static async Task PassWhatIsSoonAsync(PauseClock pauses)
    {
        if (pauses.AnyBegun) await pauses.PassAsync();
        var isVerySoon = pauses.TakeSetFor(TimeSpan.FromMilliseconds(250));
        if (pauses.TakeSetFor(TimeSpan.FromSeconds(2)) || isVerySoon) pauses.Advance(TimeSpan.FromSeconds(2));
    }

    /// <summary>As an administrator ends them, in the middle of a statement.</summary>
    private Task EndSessionsThatWriteAsync(string table) => world.ExecuteAsync(
        $"""
        CREATE FUNCTION end_session() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          PERFORM pg_terminate_backend(pg_backend_pid());
          PERFORM pg_sleep(1);
          RETURN NEW;
        END $$;
        CREATE TRIGGER end_session BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION end_session();
        """);

    private Task LetWriteAsync() => world.ExecuteAsync("DROP FUNCTION end_session() CASCADE");
}
