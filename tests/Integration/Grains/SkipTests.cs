using Actors.Grains.Agencies;
using Actors.Grains.Interfaces;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;
using Xunit;

namespace Actors.Tests.Integration.Grains;

/// <summary>Dates that passed in a pause are written into the ledger as skipped, and marked nothing.</summary>
public sealed class SkipTests(GrainWorld world) : IClassFixture<GrainWorld>
{
    [Fact]
    public async Task What_was_due_on_skipped_dates_is_marked_at_the_next_cutoff()
    {
        await world.ClearAsync();
        var agency = await PausedAsync("2031-01-10");
        foreach (var due in new[] { "2031-01-09", "2031-01-11", "2031-01-13" })
            await world.AddInstallmentAsync(agency, due);
        world.Clock.Now = GrainWorld.At("2031-01-12T20:00:00Z");

        var result = await SkipAsync(agency);

        Assert.Equal((ResumeOutcome.Resumed, 2, 0), (result.Outcome, result.Skipped.Count, result.RecordsUpdated));
        Assert.Equal(
            [(GrainWorld.Date("2031-01-11"), true, 0), (GrainWorld.Date("2031-01-12"), true, 0)],
            result.Skipped.Select(row => (row.CutoffDate, row.ServesCutoff, row.RecordsUpdated)));
        Assert.Equal(GrainWorld.At("2031-01-13T17:00:00Z"), result.Next);
        Assert.Equal(result.Next, await world.ArmedForAsync(agency));
        Assert.Equal(
            ["2031-01-10 success 0", "2031-01-11 skipped 0", "2031-01-12 skipped 0"], await world.LedgerAsync(agency));
        Assert.Equal(3, await world.ReadAsync<long>(
            "SELECT count(*) FROM installments WHERE status = 'pending'"));
        Assert.Equal("""resumed Bob settled {"mode": "skip"}""", (await world.ChangesAsync(agency))[^1]);

        world.Clock.Now = GrainWorld.At("2031-01-13T17:00:00Z");
        Assert.Equal(3, (await world.BringUpToDateAsync(agency)).RecordsUpdated);
        Assert.Equal("2031-01-13 success 3", (await world.LedgerAsync(agency))[^1]);
    }

    [Fact]
    public async Task Skipped_dates_stand_under_a_run_of_their_own_that_says_who_and_why()
    {
        await world.ClearAsync();
        var agency = await PausedAsync("2031-02-10");
        world.Clock.Now = GrainWorld.At("2031-02-12T20:00:00Z");

        var job = (await SkipAsync(agency)).Job!.Value.Value;

        Assert.Equal("success", await world.StatusOfClosedAsync(job));
        Assert.Equal("0 1 0 api Bob settled", await world.ReadAsync<string>(
            """
            SELECT concat_ws(' ', records_updated, metadata ->> 'agencies_total', metadata ->> 'agencies_marked',
              metadata ->> 'trigger', metadata ->> 'requested_by', metadata ->> 'reason') FROM jobs_log WHERE id = $1
            """, job));
        Assert.Equal(["api Bob settled none"], await world.ListAsync<string>(
            """
            SELECT DISTINCT concat_ws(' ', trigger, requested_by, reason, coalesce(late_by::text, 'none'))
            FROM agency_runs WHERE job_id = $1
            """, job));
        Assert.Equal(0, await world.OpenAlertsAsync("cutoff_late:update-installment-statuses"));
    }

    [Fact]
    public async Task An_agency_that_failed_before_its_pause_is_well_again_when_its_dates_are_skipped()
    {
        await world.ClearAsync();
        world.Clock.Now = GrainWorld.At("2031-02-20T12:00:00Z");
        var agency = await world.AddAgencyAsync("Mars/Olympus");
        await world.BringUpToDateAsync(agency, RunTrigger.CatchUp);
        Assert.Equal(1, await world.OpenAlertsAsync($"agency_failed:{agency}"));
        await world.Grain(agency).PauseAsync("Ada", "a wrong zone");
        await world.MoveAsync(agency, "UTC");

        await SkipAsync(agency);

        Assert.Equal(0, await world.OpenAlertsAsync($"agency_failed:{agency}"));
        Assert.Equal("2031-02-19 skipped", await world.ReadAsync<string>(
            "SELECT string_agg(concat_ws(' ', cutoff_date, status), '; ') FROM agency_runs WHERE agency_id = $1",
            agency));
    }

    [Theory]
    [InlineData(ResumeMode.Skip, "skipped", "2031-03-01")]
    [InlineData(ResumeMode.CatchUp, "success", "2031-04-01")]
    public async Task A_skip_that_stops_between_two_waves_leaves_the_agency_paused_and_asking_again_goes_on(
        ResumeMode again, string status, string last)
    {
        var agency = await PausedAsync(last);
        var first = GrainWorld.Date(last);
        world.Clock.Now = first.PlusDays(12).At(new LocalTime(20, 0)).InUtc().ToInstant();
        var job = new JobId(Guid.NewGuid());

        var wave = await SkipWaveAsync(agency, job);
        Assert.Equal((10, true), (wave.Skipped.Count, wave.More));
        Assert.Equal(AgencyRunOutcome.Paused, (await world.BringUpToDateAsync(agency)).Outcome);
        // A cutoff passes meanwhile.
        world.Clock.Now += Duration.FromHours(22);
        var result = await world.Grain(agency).ResumeAsync("Bob", "settled", again);

        Assert.Equal(ResumeOutcome.Resumed, result.Outcome);
        Assert.Equal(3, result.Served.Count + result.Skipped.Count);
        Assert.Equal(
            Enumerable.Range(0, 14).Select(day =>
                $"{first.PlusDays(day):uuuu-MM-dd} {(day == 0 ? "success" : day <= 10 ? "skipped" : status)} 0"),
            await world.LedgerAsync(agency));
        await world.Coordinator.SweepAsync();
        Assert.Equal("success", await world.StatusOfClosedAsync(job.Value));
        Assert.Equal(2, (await world.ChangesAsync(agency))[1..].Count);
    }

    [Fact]
    public async Task A_wave_whose_run_was_closed_meanwhile_goes_under_another_and_none_is_reopened()
    {
        var agency = await PausedAsync("2031-05-01");
        world.Clock.Now = GrainWorld.At("2031-05-15T20:00:00Z");
        var job = new JobId(Guid.NewGuid());
        await SkipWaveAsync(agency, job);
        await world.Coordinator.SweepAsync();
        Assert.Equal("success", await world.StatusOfClosedAsync(job.Value));
        const string Row = "SELECT jobs_log::text FROM jobs_log WHERE id = $1";
        var closed = await world.ReadAsync<string>(Row, job.Value);

        var second = await SkipWaveAsync(agency, job);

        Assert.Equal((4, false), (second.Skipped.Count, second.More));
        Assert.NotEqual(job, second.Job);
        Assert.Equal(closed, await world.ReadAsync<string>(Row, job.Value));
        await world.Coordinator.SweepAsync();
        Assert.Equal("success", await world.StatusOfClosedAsync(second.Job!.Value.Value));
    }

    [Fact]
    public async Task Two_who_resume_at_once_write_each_date_once()
    {
        await using var other = await world.StartOtherClusterAsync();
        var agency = await PausedAsync("2031-06-01");
        world.Clock.Now = GrainWorld.At("2031-06-28T20:00:00Z");

        var results = await Task.WhenAll(
            SkipAsync(agency),
            other.Grains.GetGrain<IAgencyGrain>(agency).ResumeAsync("Eve", "settled", ResumeMode.Skip),
            world.Grain(agency).ResumeAsync("Dan", "settled", ResumeMode.CatchUp));

        Assert.Contains(results, result => result.Outcome == ResumeOutcome.Resumed);
        await world.BringUpToDateAsync(agency);
        var ledger = await world.LedgerAsync(agency);
        Assert.Equal(
            Enumerable.Range(0, 28).Select(day => $"{GrainWorld.Date("2031-06-01").PlusDays(day):uuuu-MM-dd}"),
            ledger.Select(row => row[..10]));
        Assert.Single(
            await world.ChangesAsync(agency), change => change.StartsWith("resumed", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_had_failed_before_the_pause_is_skipped_too_and_the_agency_is_well_again()
    {
        await world.ClearAsync();
        var agency = await world.AddServedAgencyAsync("2031-07-10T17:00:00Z");
        await world.MoveAsync(agency, "Mars/Olympus");
        world.Clock.Now = GrainWorld.At("2031-07-11T17:00:00Z");
        await world.BringUpToDateAsync(agency);
        Assert.Equal("2031-07-11 failed 0", (await world.LedgerAsync(agency))[^1]);
        await world.Grain(agency).PauseAsync("Ada", "its zone is wrong");
        world.Clock.Now = GrainWorld.At("2031-07-12T18:00:00Z");

        var failed = await SkipAsync(agency);
        Assert.Equal((ResumeOutcome.SkipFailed, 0), (failed.Outcome, failed.Skipped.Count));
        Assert.StartsWith("timezone 'Mars/Olympus' is unknown", failed.Error, StringComparison.Ordinal);
        Assert.Equal(AgencyRunOutcome.Paused, (await world.BringUpToDateAsync(agency)).Outcome);

        await world.MoveAsync(agency, "UTC");
        Assert.Equal(ResumeOutcome.Resumed, (await SkipAsync(agency)).Outcome);
        Assert.Equal(
            ["2031-07-10 success 0", "2031-07-11 skipped 0", "2031-07-12 skipped 0"], await world.LedgerAsync(agency));
        Assert.Equal(0, await world.OpenAlertsAsync($"agency_failed:{agency}"));
        Assert.Equal("0 well", await world.ReadAsync<string>(
            """
            SELECT failed_attempts || ' ' || coalesce(last_error, 'well') FROM agency_cutoffs
            WHERE agency_id = $1 AND set_aside_until IS NULL AND paused_at IS NULL AND paused_reason IS NULL
            """, agency));
    }

    [Fact]
    public async Task A_database_that_refuses_a_wave_leaves_nothing_of_it()
    {
        var agency = await PausedAsync("2031-08-10");
        world.Clock.Now = GrainWorld.At("2031-08-12T20:00:00Z");
        await world.ExecuteAsync(
            """
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no resumes today'; END $$;
            CREATE TRIGGER refuse BEFORE INSERT ON agency_changes FOR EACH ROW WHEN (NEW.kind = 'resumed')
              EXECUTE FUNCTION refuse()
            """);

        var result = await SkipAsync(agency);

        await world.ExecuteAsync("DROP FUNCTION refuse() CASCADE");
        Assert.Equal((ResumeOutcome.SkipFailed, null), (result.Outcome, result.Job));
        Assert.Equal("no resumes today (P0001)", result.Error);
        Assert.Equal(["2031-08-10 success 0"], await world.LedgerAsync(agency));
        Assert.Equal(ResumeOutcome.Resumed, (await SkipAsync(agency)).Outcome);
    }

    private async Task<Guid> PausedAsync(string served)
    {
        var agency = await world.AddServedAgencyAsync($"{served}T17:00:00Z");
        await world.Grain(agency).PauseAsync("Ada", "a dispute");
        return agency;
    }

    private Task<ResumeResult> SkipAsync(Guid agency) =>
        world.Grain(agency).ResumeAsync("Bob", "settled", ResumeMode.Skip);

    private Task<SkippedWave> SkipWaveAsync(Guid agency, JobId job) => world.Silo.Services
        .GetRequiredService<AgencyPauses>()
        .SkipWaveAsync(new AgencyId(agency), job, "Bob", "settled", CancellationToken.None);
}
