using Actors.Grains.Agencies;
using Actors.Grains.Interfaces;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;
using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Grains;

/// <summary>A paused agency's dates pass unserved; who resumes it says what becomes of them.</summary>
public sealed class PauseTests(GrainWorld world) : IClassFixture<GrainWorld>
{
    private const string Late = "cutoff_late:update-installment-statuses";

    private AgencyPauses Pauses => world.Silo.Services.GetRequiredService<AgencyPauses>();

    [Fact]
    public async Task While_an_agency_is_paused_neither_reminder_nor_sweep_nor_SQL_nor_a_run_of_all_serves_it()
    {
        await world.ClearAsync();
        var agency = await world.AddServedAgencyAsync("2031-01-10T16:00:00Z");
        var installment = await world.AddInstallmentAsync(agency, "2031-01-10");
        Assert.Equal(PauseOutcome.Paused, await world.Grain(agency).PauseAsync("Ada", "a dispute"));
        world.Clock.Now = GrainWorld.At("2031-01-12T17:00:30Z");

        var asked = await world.BringUpToDateAsync(agency, RunTrigger.Api);
        var ticked = await world.BringUpToDateAsync(agency);
        var swept = await world.Coordinator.SweepAsync();
        var all = await world.Coordinator.RunAllAsync(
            new RunAllRequest(new JobId(Guid.NewGuid()), Agencies: [new AgencyId(agency)]));
        await world.ExecuteAsync(
            "SELECT update_installment_statuses(), serve_cutoffs_in_sql($1, true)", world.Clock.Now);

        Assert.Equal((AgencyRunOutcome.Paused, AgencyRunOutcome.Paused), (asked.Outcome, ticked.Outcome));
        Assert.Equal(0, swept.AgenciesFound);
        Assert.Empty(all.Agencies);
        Assert.Equal(["2031-01-09 success 0"], await world.LedgerAsync(agency));
        Assert.Equal("pending", await world.StatusOfAsync(installment));
        Assert.Equal(0, await world.OpenAlertsAsync(Late));
    }

    [Fact]
    public async Task Pausing_what_is_paused_says_so_and_keeps_who_did_it_first()
    {
        var agency = await world.AddServedAgencyAsync("2031-01-20T16:00:00Z");
        await world.Grain(agency).PauseAsync("Ada", "a dispute");
        world.Clock.Now += Duration.FromHours(1);

        Assert.Equal(PauseOutcome.AlreadyPaused, await world.Grain(agency).PauseAsync("Bob", "another"));
        Assert.Equal("2031-01-20 16:00:00 a dispute", await world.ReadAsync<string>(
            """
            SELECT (paused_at AT TIME ZONE 'UTC')::text || ' ' || paused_reason FROM agency_cutoffs
            WHERE agency_id = $1
            """, agency));
        Assert.Equal(["paused Ada a dispute {}"], (await world.ChangesAsync(agency))[1..]);
    }

    [Theory]
    [InlineData("2031-02-01", 3)]
    [InlineData("2031-03-01", 25)]
    public async Task Resuming_with_catch_up_serves_every_missed_date_and_calls_none_of_them_late(string last, int days)
    {
        await world.ClearAsync();
        var first = GrainWorld.Date(last);
        var agency = await world.AddServedAgencyAsync($"{last}T17:00:00Z");
        await world.Grain(agency).PauseAsync("Ada", "a dispute");
        for (var day = 1; day <= days; day++)
            await world.AddInstallmentAsync(agency, first.PlusDays(day).ToString("R", null));
        world.Clock.Now = first.PlusDays(days).At(new LocalTime(20, 0)).InUtc().ToInstant();

        var result = await world.Grain(agency).ResumeAsync("Bob", "settled", ResumeMode.CatchUp);

        Assert.Equal((ResumeOutcome.Resumed, days, days), (result.Outcome, result.RecordsUpdated, result.Served.Count));
        Assert.Empty(result.Skipped);
        Assert.Equal(world.Clock.Now + Duration.FromHours(21), result.Next);
        Assert.Equal(result.Next, await world.ArmedForAsync(agency));
        Assert.Equal(
            Enumerable.Range(0, days + 1).Select(day =>
                $"{first.PlusDays(day):uuuu-MM-dd} success {(day == 0 ? 0 : 1)}"),
            await world.LedgerAsync(agency));
        Assert.Equal("success", await world.StatusOfClosedAsync(result.Job!.Value.Value));
        Assert.Equal($"{days} catch_up Bob settled", await world.ReadAsync<string>(
            """
            SELECT concat_ws(' ', records_updated, metadata ->> 'trigger', metadata ->> 'requested_by',
              metadata ->> 'reason') FROM jobs_log WHERE id = $1
            """, result.Job!.Value.Value));
        Assert.Equal(["catch_up Bob settled 00:00:00"], await world.ListAsync<string>(
            "SELECT DISTINCT concat_ws(' ', trigger, requested_by, reason, late_by) FROM agency_runs WHERE job_id = $1",
            result.Job!.Value.Value));
        world.Clock.Now += Duration.FromSeconds(30);
        Assert.Equal(0, (await world.Coordinator.SweepAsync()).AgenciesFound);
        Assert.Equal(0, await world.OpenAlertsAsync(Late));
        Assert.Equal("""resumed Bob settled {"mode": "catch_up"}""", (await world.ChangesAsync(agency))[^1]);
    }

    [Fact]
    public async Task Resuming_when_no_date_has_passed_writes_no_row_and_marks_nothing()
    {
        foreach (var mode in new[] { ResumeMode.CatchUp, ResumeMode.Skip })
        {
            var agency = await world.AddServedAgencyAsync("2031-04-10T18:00:00Z");
            await world.Grain(agency).PauseAsync("Ada", "a dispute");
            var inserted = await world.AddInstallmentAsync(agency, "2031-04-01");

            var result = await world.Grain(agency).ResumeAsync("Bob", "settled", mode);

            Assert.Equal((ResumeOutcome.Resumed, null, 0), (result.Outcome, result.Job, result.RecordsUpdated));
            Assert.Equal(GrainWorld.At("2031-04-11T17:00:00Z"), result.Next);
            Assert.Equal(["2031-04-10 success 0"], await world.LedgerAsync(agency));
            Assert.Equal("pending", await world.StatusOfAsync(inserted));
            world.Clock.Now = GrainWorld.At("2031-04-11T17:00:00Z");
            Assert.Equal(1, (await world.BringUpToDateAsync(agency)).RecordsUpdated);
        }
    }

    [Fact]
    public async Task A_resume_that_stops_after_it_ended_the_pause_is_finished_by_the_sweep_and_nothing_is_late()
    {
        await world.ClearAsync();
        var agency = await world.AddServedAgencyAsync("2031-05-10T17:00:00Z");
        await world.AddInstallmentAsync(agency, "2031-05-12");
        await world.Grain(agency).PauseAsync("Ada", "a dispute");
        world.Clock.Now = GrainWorld.At("2031-05-13T12:00:00Z");

        await Pauses.ClearAsync(new AgencyId(agency), "Bob", "settled", CancellationToken.None);
        world.Clock.Now += Duration.FromSeconds(9);
        var swept = await world.Coordinator.SweepAsync();

        Assert.Equal((1, 1), (swept.AgenciesFound, swept.AgenciesBroughtUpToDate));
        Assert.Equal(
            ["2031-05-10 success 0", "2031-05-11 success 0", "2031-05-12 success 1"], await world.LedgerAsync(agency));
        Assert.Equal(0, await world.ReadAsync<long>("SELECT count(*) FROM alerts WHERE dedup_key = $1", Late));
    }

    [Fact]
    public async Task What_is_paused_before_it_was_ever_armed_starts_with_one_row_when_it_is_resumed()
    {
        await world.ClearAsync();
        foreach (var (mode, row) in new[] { (ResumeMode.CatchUp, "success 1"), (ResumeMode.Skip, "skipped 0") })
        {
            world.Clock.Now = GrainWorld.At("2031-06-10T12:00:00Z");
            var agency = await world.AddAgencyAsync();
            var installment = await world.AddInstallmentAsync(agency, "2031-01-01");
            await world.Grain(agency).PauseAsync("Ada", "not yet");
            Assert.Equal(0, (await world.Coordinator.SweepAsync()).AgenciesFound);
            Assert.Empty(await world.LedgerAsync(agency));
            world.Clock.Now = GrainWorld.At("2031-06-12T12:00:00Z");

            await world.Grain(agency).ResumeAsync("Bob", "now", mode);
            world.Clock.Now = GrainWorld.At("2031-06-12T17:00:00Z");
            await world.BringUpToDateAsync(agency);

            Assert.Equal(
                [$"2031-06-11 {row}", $"2031-06-12 success {(mode == ResumeMode.Skip ? 1 : 0)}"],
                await world.LedgerAsync(agency));
            Assert.Equal("overdue", await world.StatusOfAsync(installment));
        }
    }

    [Fact]
    public async Task Settings_that_change_in_the_pause_decide_over_the_dates_that_are_caught_up()
    {
        var agency = await world.AddServedAgencyAsync("2031-07-10T17:00:00Z");
        await world.Grain(agency).PauseAsync("Ada", "a move");
        world.Clock.Now = GrainWorld.At("2031-07-12T12:00:00Z");
        await world.MoveAsync(agency, "Asia/Tokyo");

        var result = await world.Grain(agency).ResumeAsync("Bob", "moved", ResumeMode.CatchUp);

        Assert.Equal(
            [GrainWorld.At("2031-07-11T08:00:00Z"), GrainWorld.At("2031-07-12T08:00:00Z")],
            result.Served.Select(row => row.CutoffAt));
        Assert.Equal(GrainWorld.At("2031-07-13T08:00:00Z"), result.Next);
    }

    [Fact]
    public async Task Where_nothing_can_be_served_the_resume_says_so_and_the_sweep_goes_on_trying()
    {
        await world.ClearAsync();
        var agency = await world.AddServedAgencyAsync("2031-08-10T17:00:00Z");
        await world.Grain(agency).PauseAsync("Ada", "a move");
        world.Clock.Now = GrainWorld.At("2031-08-12T12:00:00Z");
        await world.MoveAsync(agency, "Mars/Olympus");

        var result = await world.Grain(agency).ResumeAsync("Bob", "moved", ResumeMode.CatchUp);

        Assert.Equal(ResumeOutcome.CatchUpFailed, result.Outcome);
        Assert.StartsWith("timezone 'Mars/Olympus' is unknown", result.Error, StringComparison.Ordinal);
        Assert.Equal("failed", await world.StatusOfClosedAsync(result.Job!.Value.Value));
        Assert.Equal(1, await world.OpenAlertsAsync($"agency_failed:{agency}"));
        await world.MoveAsync(agency, "UTC");
        Assert.Equal(1, (await world.Coordinator.SweepAsync()).AgenciesBroughtUpToDate);
        Assert.Equal("2031-08-11 success 0", (await world.LedgerAsync(agency))[^1]);
    }

    [Fact]
    public async Task What_somebody_else_holds_is_neither_paused_nor_resumed_and_the_answer_says_so()
    {
        var agency = await world.AddServedAgencyAsync("2031-09-10T17:00:00Z");
        await using var holder = await world.Owner.OpenConnectionAsync();
        await using (var hold = await holder.BeginTransactionAsync())
        {
            await using var change = new NpgsqlCommand(
                $"UPDATE agencies SET overdue_cutoff_time = '18:00' WHERE id = '{agency}'", holder);
            await change.ExecuteNonQueryAsync();

            Assert.Equal(PauseOutcome.Busy, await world.Grain(agency).PauseAsync("Ada", "a dispute"));
            foreach (var mode in new[] { ResumeMode.CatchUp, ResumeMode.Skip })
            {
                var result = await world.Grain(agency).ResumeAsync("Ada", "none", mode);
                Assert.Equal((ResumeOutcome.Busy, null), (result.Outcome, result.Job));
            }
        }

        Assert.Single(await world.ChangesAsync(agency));
        Assert.Equal(PauseOutcome.Paused, await world.Grain(agency).PauseAsync("Ada", "a dispute"));
    }

    [Fact]
    public async Task What_is_not_there_or_not_paused_is_not_resumed()
    {
        var agency = await world.AddServedAgencyAsync("2031-09-20T17:00:00Z");
        var nobody = Guid.NewGuid();

        Assert.Equal(PauseOutcome.NotFound, await world.Grain(nobody).PauseAsync("Ada", "a dispute"));
        foreach (var mode in new[] { ResumeMode.CatchUp, ResumeMode.Skip })
        {
            Assert.Equal(
                ResumeOutcome.NotFound, (await world.Grain(nobody).ResumeAsync("Ada", "none", mode)).Outcome);
            Assert.Equal(
                ResumeOutcome.NotPaused, (await world.Grain(agency).ResumeAsync("Ada", "none", mode)).Outcome);
        }

        Assert.Single(await world.ChangesAsync(agency));
    }
}
