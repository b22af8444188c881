using Actors.Grains;
using Actors.Grains.Interfaces;
using Actors.Tests.Support;
using NodaTime;
using Xunit;

namespace Actors.Tests.Integration.Grains;

/// <summary>What agencies and sweeps do when sessions end under their statements.</summary>
public sealed class OutageTests(PausingWorld world) : IClassFixture<PausingWorld>
{
    [Fact]
    public async Task A_reminder_that_could_not_be_written_is_written_a_moment_later_and_the_run_has_not_failed()
    {
        await world.ClearAsync();
        var agency = await world.AddServedAgencyAsync("2031-04-17T16:00:00Z");
        await world.ExecuteAsync("UPDATE agencies SET overdue_cutoff_time = '18:00' WHERE id = $1", agency);
        world.Clock.Now = GrainWorld.At("2031-04-17T18:00:30Z");
        var pauses = world.Pauses.Anew();
        await EndSessionsThatWriteAsync("orleans.reminders");
        var sweep = world.Coordinator.SweepAsync();
        await pauses.NextAsync();

        await LetWriteAsync();
        pauses.Advance(TimeSpan.FromSeconds(1));

        var swept = await sweep;
        Assert.Equal((1, 0), (swept.AgenciesBroughtUpToDate, swept.AgenciesFailed));
        Assert.Equal(
            GrainWorld.At("2031-04-18T18:00:00Z") - Duration.FromSeconds(1), await world.ArmedForAsync(agency));
        Assert.Equal("success", await world.ReadAsync<string>(
            """
            SELECT j.status FROM jobs_log j JOIN agency_runs r ON r.job_id = j.id
            WHERE r.agency_id = $1 AND r.cutoff_date = '2031-04-17'
            """, agency));
    }

    [Fact]
    public async Task An_agency_whose_every_attempt_met_an_outage_is_swept_again_in_2_s_and_not_after_a_period()
    {
        await world.ClearAsync();
        var agency = await world.AddServedAgencyAsync("2031-04-18T16:00:00Z");
        world.Clock.Now = GrainWorld.At("2031-04-18T17:00:30Z");
        var pauses = world.Pauses.Anew();
        await EndSessionsThatWriteAsync("agency_runs");
        var sweep = world.Coordinator.SweepAsync();
        await PassRetriesAsync(pauses);

        Assert.Equal(1, (await sweep).AgenciesFailed);
        await LetWriteAsync();
        world.Clock.Now += Duration.FromSeconds(2);
        pauses.Advance(TimeSpan.FromSeconds(2));

        await HoldsAsync("SELECT EXISTS (SELECT FROM agency_runs "
            + $"WHERE agency_id = '{agency}' AND cutoff_date = '2031-04-18' AND status = 'success')");
    }

    [Fact]
    public async Task A_tick_whose_every_attempt_met_an_outage_has_a_sweep_come_in_2_s_though_it_is_not_10_s_late()
    {
        var (agency, cutoff) = await ServedTheDayBeforeAsync("2031-04-19");
        var pauses = world.Pauses.Anew();
        await EndSessionsThatWriteAsync("agency_runs");
        var tick = world.TickAsync(agency, cutoff);
        await PassRetriesAsync(pauses);
        await tick;
        await LetWriteAsync();

        await ASweepServesItIn2SAsync(pauses, agency, "2031-04-19");
    }

    /// <summary>As where the session of an attempt has died, and the server holds its locks for a while yet.</summary>
    [Fact]
    public async Task A_tick_that_found_its_agency_held_at_every_attempt_has_a_sweep_come_in_2_s()
    {
        var (agency, cutoff) = await ServedTheDayBeforeAsync("2031-04-20");
        var pauses = world.Pauses.Anew();
        await using (await HeldLock.OnAgencyAsync(world.Owner, agency))
        {
            var tick = world.TickAsync(agency, cutoff);
            await PassRetriesAsync(pauses);
            await tick;
        }

        // No failure was to be recorded: if it were released a moment before, the agency would be set aside for that.
        Assert.Equal(0, await world.ReadAsync<long>(
            "SELECT count(*) FROM jobs_log WHERE started_at >= '2031-04-20 17:00Z' AND started_at < '2031-04-21'"));
        await ASweepServesItIn2SAsync(pauses, agency, "2031-04-20");
    }

    [Fact]
    public async Task A_resumed_agency_whose_every_attempt_met_an_outage_has_a_sweep_come_in_2_s()
    {
        await world.ClearAsync();
        var agency = await world.AddServedAgencyAsync("2031-04-21T18:00:00Z");
        await world.Grain(agency).PauseAsync("Ada", "a move");
        world.Clock.Now = GrainWorld.At("2031-04-23T12:00:00Z");
        var pauses = world.Pauses.Anew();
        await EndSessionsThatWriteAsync("agency_runs");
        var resume = world.Grain(agency).ResumeAsync("Bob", "moved", ResumeMode.CatchUp);
        await PassRetriesAsync(pauses);
        Assert.Equal(ResumeOutcome.CatchUpFailed, (await resume).Outcome);
        await LetWriteAsync();

        await ASweepServesItIn2SAsync(pauses, agency, "2031-04-22");
    }

    /// <summary>Its cutoff of the date has passed 7 s ago: its tick has come, and it is not late yet.</summary>
    private async Task<(Guid Agency, Instant Cutoff)> ServedTheDayBeforeAsync(string date)
    {
        await world.ClearAsync();
        var agency = await world.AddServedAgencyAsync($"{date}T16:00:00Z");
        var cutoff = GrainWorld.At($"{date}T17:00:00Z");
        world.Clock.Now = cutoff + Duration.FromSeconds(7);
        return (agency, cutoff);
    }

    private static async Task PassRetriesAsync(PauseClock pauses)
    {
        foreach (var pause in new GrainOptions().RetryPauses) Assert.Equal(pause, await pauses.PassAsync());
    }

    private async Task ASweepServesItIn2SAsync(PauseClock pauses, Guid agency, string date)
    {
        await Eventually.HoldsAsync(
            "the coordinator has heard of it", () => Task.FromResult(pauses.WasSetFor(TimeSpan.FromSeconds(2))));
        pauses.Advance(TimeSpan.FromSeconds(2));
        await HoldsAsync("SELECT EXISTS (SELECT FROM agency_runs "
            + $"WHERE agency_id = '{agency}' AND cutoff_date = '{date}' AND trigger = 'catch_up')");
    }

    /// <summary>Ends sessions as an administrator does, in the middle of a statement that writes.</summary>
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

    /// <summary>Takes that back.</summary>
    private Task LetWriteAsync() => world.ExecuteAsync("DROP FUNCTION end_session() CASCADE");

    private Task HoldsAsync(string sql) => Eventually.HoldsAsync(sql, () => world.ReadAsync<bool>(sql));
}
