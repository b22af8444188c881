using Actors.Grains.Interfaces;
using NodaTime;
using Xunit;

namespace Actors.Tests.Integration.Grains;

/// <summary>Was every agency served every day? One row for each date, whatever happened.</summary>
public sealed class LedgerTests(GrainWorld world) : IClassFixture<GrainWorld>
{
    private static readonly Duration Step = Duration.FromMinutes(30);

    [Fact]
    public async Task A_new_agency_starts_with_one_row_and_the_backlog_stands_under_it()
    {
        world.Clock.Now = GrainWorld.At("2031-01-10T12:00:00Z");
        var agency = await world.AddAgencyAsync();
        await world.AddInstallmentAsync(agency, "2029-01-01");
        await world.AddInstallmentAsync(agency, "2031-01-09");
        await world.AddInstallmentAsync(agency, "2031-01-10");

        await world.BringUpToDateAsync(agency);

        Assert.Equal(["2031-01-09 success 2"], await world.LedgerAsync(agency));
        Assert.Equal(["no"], await world.ListAsync<string>(
            "SELECT CASE WHEN late_by IS NULL THEN 'no' ELSE 'late' END FROM agency_runs WHERE agency_id = $1",
            agency));
    }

    [Theory]
    [InlineData("Europe/London", "01:30", "2031-03-27T12:00:00Z", "2031-03-30 shifted")]
    [InlineData("Europe/London", "01:30", "2031-10-23T12:00:00Z", "2031-10-26 later_of_two")]
    public async Task A_week_with_a_clock_change_has_one_row_for_each_date_at_its_own_instant(
        string zone, string time, string from, string change)
    {
        var start = GrainWorld.At(from);
        var agency = await world.AddServedAgencyAsync(from, zone, time);
        var first = start.InUtc().Date;
        for (var day = 1; day <= 7; day++)
            await world.AddInstallmentAsync(agency, first.PlusDays(day).ToString("R", null));

        // A reminder that ticks every half hour finds nothing but what is there to be done.
        for (var now = start; now < start + Duration.FromDays(7); now += Step)
        {
            world.Clock.Now = now;
            await world.BringUpToDateAsync(agency);
        }

        Assert.Equal(
            Enumerable.Range(0, 8).Select(day => $"{first.PlusDays(day):uuuu-MM-dd} success {(day == 0 ? 0 : 1)}"),
            await world.LedgerAsync(agency));
        Assert.Equal([change], await world.ListAsync<string>(
            """
            SELECT concat_ws(' ', cutoff_date, resolution) FROM agency_runs
            WHERE agency_id = $1 AND resolution <> 'once' AND cutoff_at = started_at
            """, agency));
        Assert.Equal(0, await world.ReadAsync<long>(
            "SELECT count(*) FROM agency_runs WHERE agency_id = $1 AND late_by <> interval '0'", agency));
    }

    [Theory]
    [InlineData("2031-05-01", 3)]
    [InlineData("2031-06-01", 40)]
    public async Task After_an_outage_each_missed_date_has_its_row_and_its_installments(string lastServed, int days)
    {
        var last = GrainWorld.Date(lastServed);
        var agency = await world.AddServedAgencyAsync($"{lastServed}T17:00:00Z");
        await world.AddInstallmentAsync(agency, last.PlusDays(-100).ToString("R", null));
        for (var day = 1; day <= days + 1; day++)
            await world.AddInstallmentAsync(agency, last.PlusDays(day).ToString("R", null));
        world.Clock.Now = last.PlusDays(days).At(new LocalTime(17, 20)).InUtc().ToInstant();

        var result = await world.BringUpToDateAsync(agency);

        // What was due before the first unserved date stands under that one.
        Assert.Equal(days + 1, result.RecordsUpdated);
        Assert.Equal(
            Enumerable.Range(0, days + 1).Select(day =>
                $"{last.PlusDays(day):uuuu-MM-dd} success {(day == 0 ? 0 : day == 1 ? 2 : 1)}"),
            await world.LedgerAsync(agency));
        Assert.Equal(
            Enumerable.Range(0, days).Reverse().Select(day => Period.FromDays(day) + Period.FromMinutes(20)),
            (await world.ListAsync<Period>(
                "SELECT late_by FROM agency_runs WHERE agency_id = $1 AND late_by IS NOT NULL ORDER BY cutoff_date",
                agency)).Select(period => period.Normalize() is var p
                    ? Period.FromDays(p.Days + (7 * p.Weeks)) + Period.FromMinutes((p.Hours * 60) + p.Minutes) : p));
        Assert.Equal(days + 1, await world.ReadAsync<long>(
            """
            SELECT count(DISTINCT i) FROM agency_runs, unnest(installment_ids) AS i WHERE agency_id = $1
            """, agency));
        Assert.Equal(0, await world.ReadAsync<long>(
            """
            SELECT count(*) FROM agency_runs r JOIN installments i ON i.id = ANY (r.installment_ids)
            WHERE r.agency_id = $1 AND r.cutoff_date <> greatest(i.student_due_date, $2::date)
            """, agency, last.PlusDays(1)));
        // A reminder may have found it, but it caught up: the run is not that of one cutoff.
        Assert.Equal(["catch_up"], await world.ListAsync<string>(
            "SELECT DISTINCT trigger FROM agency_runs WHERE agency_id = $1 AND started_at > cutoff_at", agency));
    }

    [Theory]
    [InlineData("2031-09-01T18:00:00Z", 0)]
    [InlineData("2031-09-02T12:00:00Z", 0)]
    [InlineData("2031-09-20T12:00:00Z", 18)]
    public async Task An_agency_that_is_inserted_again_goes_on_where_its_ledger_ends(string again, int missed)
    {
        await world.ClearAsync();
        var agency = await world.AddServedAgencyAsync("2031-09-01T17:00:00Z");
        await world.ExecuteAsync("DELETE FROM agency_runs WHERE agency_id <> $1", agency);
        var ledger = await world.LedgerAsync(agency);
        await world.ExecuteAsync("DELETE FROM agencies WHERE id = $1", agency);
        world.Clock.Now = GrainWorld.At(again);
        await world.ExecuteAsync("INSERT INTO agencies (id, name, timezone) VALUES ($1, 'again', 'UTC')", agency);
        var installment = await world.AddInstallmentAsync(agency, "2031-08-15");

        var swept = await world.Coordinator.SweepAsync();

        Assert.Equal((1, 0), (swept.AgenciesBroughtUpToDate, swept.AgenciesFailed));
        Assert.Equal(ledger[0], (await world.LedgerAsync(agency))[0]);
        Assert.Equal(1 + missed, (await world.LedgerAsync(agency)).Count);
        // What was inserted after the last cutoff waits for the next one.
        Assert.Equal(missed == 0 ? "pending" : "overdue", await world.StatusOfAsync(installment));
        world.Clock.Now = GrainWorld.At(again).InUtc().Date.PlusDays(1).At(new LocalTime(17, 0)).InUtc().ToInstant();
        await world.BringUpToDateAsync(agency);
        Assert.Equal("overdue", await world.StatusOfAsync(installment));
        Assert.Empty(await world.ListAsync<Guid>("SELECT id FROM alerts WHERE kind = 'agency_failed'"));
    }

    [Fact]
    public async Task An_agency_that_is_inserted_again_is_served_in_SQL_too_and_takes_over_what_had_failed()
    {
        await world.ClearAsync();
        var agency = await world.AddServedAgencyAsync("2031-10-01T17:00:00Z");
        await world.MoveAsync(agency, "Mars/Olympus");
        world.Clock.Now = GrainWorld.At("2031-10-02T17:00:00Z");
        await world.BringUpToDateAsync(agency);
        await world.ExecuteAsync("DELETE FROM agencies WHERE id = $1", agency);
        await world.ExecuteAsync("INSERT INTO agencies (id, name, timezone) VALUES ($1, 'again', 'UTC')", agency);

        await world.ExecuteAsync("SELECT serve_cutoffs_in_sql($1, false)", world.Clock.Now);

        Assert.Equal(["2031-10-01 success 0", "2031-10-02 success 0"], await world.LedgerAsync(agency));
    }

    [Fact]
    public async Task A_deleted_agency_keeps_its_ledger()
    {
        var agency = await world.AddServedAgencyAsync("2031-08-01T17:00:00Z");

        await world.ExecuteAsync("DELETE FROM agencies WHERE id = $1", agency);

        Assert.Equal(AgencyRunOutcome.NotFound, (await world.BringUpToDateAsync(agency)).Outcome);
        Assert.Equal(["2031-08-01 success 0"], await world.LedgerAsync(agency));
        Assert.Empty(await world.ListAsync<Guid>("SELECT agency_id FROM agency_cutoffs WHERE agency_id = $1", agency));
    }
}
