using NodaTime;
using Xunit;

namespace Actors.Tests.Integration.EndToEnd;

/// <summary>Silo, reminders and database together, over days, a clock change and an outage.</summary>
public sealed class DaysOfCutoffsTests
{
    private static readonly Instant Start = Instant.FromUtc(2026, 10, 2, 0, 0);

    /// <summary>In Sydney 02:30 is skipped on 4 October 2026, and from then on cutoffs come an hour earlier.</summary>
    private const string Agencies =
        """
        INSERT INTO agencies (id, name, timezone, overdue_cutoff_time)
        SELECT gen_random_uuid(), zone || ' ' || cutoff, zone, cutoff::time
        FROM (VALUES
          ('Australia/Sydney', '02:30'), ('Australia/Sydney', '17:00'), ('Australia/Brisbane', '17:00'),
          ('Asia/Tokyo', '09:00'), ('America/Los_Angeles', '17:00'), ('America/New_York', '23:59:59'),
          ('Europe/London', '12:00'), ('Pacific/Auckland', '00:00'), ('UTC', '00:00')
        ) AS chosen (zone, cutoff);

        WITH plan AS (
          INSERT INTO payment_plans (id, agency_id, status) SELECT gen_random_uuid(), id, 'active' FROM agencies
          RETURNING id
        )
        INSERT INTO installments (id, payment_plan_id, amount, student_due_date, status)
        SELECT gen_random_uuid(), p.id, 10, d::date, 'pending'
        FROM plan p, generate_series('2026-09-28'::timestamp, '2026-10-12', '1 day') AS d;
        """;

    private const string Broken =
        """
        SELECT format('%s %s %s %s at %s, cutoff %s, marked %s', a.name, r.trigger, r.cutoff_date, r.status,
          r.completed_at, r.cutoff_at, r.records_updated)
        FROM agency_runs r JOIN agencies a ON a.id = r.agency_id
        """;

    [Fact]
    public async Task Every_agency_is_served_every_day_at_its_own_cutoff_through_a_clock_change_and_an_outage()
    {
        await using var process = await FakeTimeProcess.StartAsync(Start);
        await process.AskAsync<object?>($"{Agencies} SELECT 1");
        await process.SweptUntilAsync("SELECT count(*) = 9 FROM agency_runs");

        await process.RunUntilAsync(Start + Duration.FromHours(60));
        var stopped = process.Now;
        await process.StopAsync();
        process.Advance(Duration.FromHours(30));
        await process.StartAsync();
        var started = process.Now;
        await process.SweptUntilAsync("SELECT count(*) = 0 FROM agency_cutoffs WHERE next_cutoff_at <= "
            + $"'{started}'");
        await process.RunUntilAsync(started + Duration.FromHours(50));
        await process.SweptUntilAsync("SELECT count(*) = 0 FROM jobs_log WHERE status = 'running'");

        Assert.Empty(await process.RowsAsync(
            $"{Broken} WHERE r.status <> 'success' OR NOT r.serves_cutoff OR r.completed_at < r.cutoff_at"));
        await AssertOneRowForEachDateAsync(process);
        await AssertRemindersServedWhatTheyCouldAsync(process, stopped, started);
        await AssertMarkedWhatWasDueAsync(process);
        Assert.Equal(1, await process.AskAsync<int>(
            """
            SELECT count(*)::integer FROM agency_runs
            WHERE resolution = 'shifted' AND cutoff_date = '2026-10-04' AND cutoff_at = '2026-10-03 16:30+00'
            """));
    }

    /// <summary>From each agency's first date to now, without a gap, at the instant that PostgreSQL names.</summary>
    private static async Task AssertOneRowForEachDateAsync(FakeTimeProcess process) => Assert.Empty(
        await process.RowsAsync(
            $"""
            WITH expected AS (
              SELECT a.id AS agency_id, d::date AS cutoff_date,
                (d::date + a.overdue_cutoff_time) AT TIME ZONE a.timezone AS cutoff_at
              FROM agencies a, generate_series('2026-09-28'::timestamp, '2026-10-12', '1 day') AS d
              WHERE d::date >= (SELECT min(cutoff_date) FROM agency_runs r WHERE r.agency_id = a.id)
                AND (d::date + a.overdue_cutoff_time) AT TIME ZONE a.timezone <= '{process.Now}'
            )
            SELECT concat_ws(' ', e.agency_id, e.cutoff_date, e.cutoff_at, r.cutoff_date, r.cutoff_at)
            FROM expected e FULL JOIN agency_runs r USING (agency_id, cutoff_date, cutoff_at)
            WHERE e.agency_id IS NULL OR r.agency_id IS NULL
            """));

    /// <summary>At the very instant; what passed before the start or in the outage was caught up instead.</summary>
    private static async Task AssertRemindersServedWhatTheyCouldAsync(
        FakeTimeProcess process, Instant stopped, Instant started)
    {
        Assert.Empty(await process.RowsAsync(
            $"""
            {Broken}
            WHERE r.trigger <> CASE
                WHEN r.cutoff_at <= '{Start}' THEN 'catch_up'
                WHEN r.cutoff_at > '{stopped}' AND r.cutoff_at <= '{started}' THEN 'catch_up'
                ELSE 'reminder' END
              OR r.completed_at <> CASE
                WHEN r.cutoff_at <= '{Start}' THEN '{Start}'
                WHEN r.cutoff_at > '{stopped}' AND r.cutoff_at <= '{started}' THEN '{started}'
                ELSE r.cutoff_at END
            """));
        // One row of jobs_log for each instant at which a cutoff was served in time.
        Assert.True(await process.AskAsync<bool>(
            """
            SELECT count(*) = (SELECT count(DISTINCT cutoff_at) FROM agency_runs WHERE trigger = 'reminder')
              AND bool_and(status = 'success')
              AND sum(records_updated) = (SELECT sum(records_updated) FROM agency_runs WHERE trigger = 'reminder')
            FROM jobs_log WHERE metadata ->> 'trigger' = 'reminder'
            """));
    }

    /// <summary>Each stands under its due date, or under the agency's first date when it was due before.</summary>
    private static async Task AssertMarkedWhatWasDueAsync(FakeTimeProcess process) => Assert.Empty(
        await process.RowsAsync(
            """
            WITH marked AS (
              SELECT r.agency_id, r.cutoff_date, marked_id AS id,
                min(r.cutoff_date) OVER (PARTITION BY r.agency_id) AS first_date
              FROM agency_runs r, unnest(r.installment_ids) AS marked_id
            )
            SELECT concat_ws(' ', i.id, i.status, i.student_due_date, m.cutoff_date)
            FROM installments i
            JOIN payment_plans p ON p.id = i.payment_plan_id
            JOIN agency_cutoffs c ON c.agency_id = p.agency_id
            LEFT JOIN marked m ON m.id = i.id
            WHERE CASE WHEN i.student_due_date <= c.last_cutoff_date
              THEN i.status <> 'overdue' OR m.cutoff_date IS DISTINCT FROM greatest(i.student_due_date, m.first_date)
              ELSE i.status <> 'pending' OR m.id IS NOT NULL END
            """));
}
