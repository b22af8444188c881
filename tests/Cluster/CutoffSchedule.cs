using System.Globalization;
using Npgsql;
using Xunit;

namespace Actors.Tests.Cluster;

/// <summary>
/// Agencies whose cutoffs come one after the other in the next seconds, in the zones of the world, and what must be
/// true of them afterwards. Each has installments that are due by its cutoff, one that is due the day after, and one
/// that is paid.
/// </summary>
public sealed class CutoffSchedule
{
    private const int DueOfEach = 3;

    /// <summary>Between the insert and the first cutoff, for arming all of them.</summary>
    private const int LeadSeconds = 5;

    /// <summary>The worst that a test waits for after its last fault; what it really took is printed.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private readonly OwnPostgres database;
    private readonly Guid id = Guid.NewGuid();

    private DateTime last;

    private CutoffSchedule(OwnPostgres database) => this.database = database;

    /// <summary>Adds them, and waits until all are armed.</summary>
    /// <param name="database">Where.</param>
    /// <param name="agencies">How many.</param>
    /// <param name="seconds">Over how long their cutoffs are spread.</param>
    public static async Task<CutoffSchedule> ArmAsync(OwnPostgres database, int agencies, int seconds)
    {
        var schedule = new CutoffSchedule(database);
        await database.ExecuteAsync(
            """
            WITH zone AS (
              SELECT name, row_number() OVER (ORDER BY name) - 1 AS n, count(*) OVER () AS zones
              FROM supported_timezones
            ), coming AS (
              SELECT gen_random_uuid() AS agency_id, z.name AS timezone,
                     date_trunc('second', clock_timestamp())
                       + make_interval(secs => $4 + floor(i * $3::float8 / $2)) AS cutoff_at
              FROM generate_series(0, $2 - 1) AS i
              JOIN zone z ON z.n = i % z.zones
            ), expected AS (
              INSERT INTO expected_cutoffs
              SELECT agency_id, $1, (cutoff_at AT TIME ZONE timezone)::date, cutoff_at FROM coming
              RETURNING *
            ), agency AS (
              INSERT INTO agencies (id, name, timezone, overdue_cutoff_time)
              SELECT agency_id, 'fault suite', timezone, (cutoff_at AT TIME ZONE timezone)::time FROM coming
            ), plan AS (
              INSERT INTO payment_plans (id, agency_id, status)
              SELECT gen_random_uuid(), agency_id, 'active' FROM coming
              RETURNING id, agency_id
            )
            INSERT INTO installments (payment_plan_id, amount, student_due_date, status)
            SELECT p.id, 10, e.cutoff_date + CASE kind WHEN 'later' THEN 1 ELSE 0 END,
                   CASE kind WHEN 'paid' THEN 'paid' ELSE 'pending' END
            FROM plan p
            JOIN expected e USING (agency_id)
            CROSS JOIN unnest(array_fill('due'::text, ARRAY[$5]) || '{later,paid}') AS kind
            """,
            schedule.id, agencies, seconds, LeadSeconds, DueOfEach);
        await Support.Eventually.HoldsAsync("every agency is armed", async () => await schedule.IsTrueAsync(
            """
            NOT EXISTS (
              SELECT FROM mine LEFT JOIN agency_cutoffs c USING (agency_id) WHERE c.next_cutoff_at IS NULL)
            """));
        schedule.last = Assert.Single(await database.ListAsync<DateTime>(
            "SELECT max(cutoff_at) FROM expected_cutoffs WHERE schedule = $1", schedule.id));
        return schedule;
    }

    /// <summary>Until this share of the cutoffs has passed, by the database's clock.</summary>
    public async Task PassedAsync(double share)
    {
        await using var connection = await database.ConnectAsync();
        await using var wait = new NpgsqlCommand(
            """
            SELECT pg_sleep(greatest(0, extract(epoch FROM
              min(cutoff_at) + (max(cutoff_at) - min(cutoff_at)) * $2 - clock_timestamp())))
            FROM expected_cutoffs WHERE schedule = $1
            """, connection) { Parameters = { new() { Value = id }, new() { Value = share } } };
        await wait.ExecuteNonQueryAsync();
    }

    /// <summary>Until the last cutoff has passed so long ago, by this machine's clock.</summary>
    public Task PassedWithoutDatabaseAsync(TimeSpan ago)
    {
        var end = last + ago;
        return Support.Eventually.HoldsAsync(
            "the last cutoff has passed", ago + Patience,
            () => Task.FromResult(TimeProvider.System.GetUtcNow() > end));
    }

    /// <summary>
    /// Waits until every cutoff is served and every run closed, requires all that must hold, and answers how late they
    /// were.
    /// </summary>
    public async Task<string> RequireServedAsync()
    {
        await Support.Eventually.HoldsAsync("every cutoff is served and every run closed", Patience, async () =>
            await IsTrueAsync(
                """
                (SELECT max(cutoff_at) < clock_timestamp() FROM mine)
                AND NOT EXISTS (
                  SELECT FROM mine m WHERE NOT EXISTS (
                    SELECT FROM agency_runs r WHERE r.agency_id = m.agency_id AND r.cutoff_date = m.cutoff_date
                      AND r.serves_cutoff AND r.status = 'success'))
                AND NOT EXISTS (SELECT FROM jobs_log WHERE status = 'running')
                """));
        Assert.Empty(await database.ListAsync<string>(Complaints, id, DueOfEach));
        return Assert.Single(await database.ListAsync<string>(Lateness, id));
    }

    /// <summary>What must never be, one line for each case of it; empty when all is well.</summary>
    private const string Complaints =
        """
        WITH mine AS (
          SELECT * FROM expected_cutoffs WHERE schedule = $1
        ), run AS (
          SELECT r.*, m.cutoff_date AS wanted_date, m.cutoff_at AS wanted_at
          FROM mine m JOIN agency_runs r USING (agency_id)
        ), installment AS (
          SELECT i.*, m.agency_id, m.cutoff_date, m.cutoff_at,
                 (SELECT count(*) FROM status_changes s WHERE s.installment_id = i.id) AS changes,
                 (SELECT min(at) FROM status_changes s WHERE s.installment_id = i.id) AS changed_at,
                 (SELECT count(*) FROM run r WHERE i.id = ANY (r.installment_ids)) AS ledger_rows
          FROM mine m
          JOIN payment_plans p ON p.agency_id = m.agency_id
          JOIN installments i ON i.payment_plan_id = p.id
        )
        SELECT format('agency %s has %s rows for %s', m.agency_id, count(r.id), m.cutoff_date)
        FROM mine m LEFT JOIN run r ON r.agency_id = m.agency_id AND r.cutoff_date = m.cutoff_date AND r.serves_cutoff
        GROUP BY m.agency_id, m.cutoff_date HAVING count(r.id) <> 1
        UNION ALL
        SELECT format('agency %s: cutoff at %s, ledger says %s', agency_id, wanted_at, cutoff_at)
        FROM run WHERE cutoff_date = wanted_date AND serves_cutoff AND cutoff_at <> wanted_at
        UNION ALL
        SELECT format('run %s says %s installments, and names %s', id, records_updated, cardinality(installment_ids))
        FROM run WHERE records_updated <> cardinality(installment_ids)
        UNION ALL
        SELECT format('agency %s: %s due by the cutoff became overdue, not %s', agency_id,
          count(*) FILTER (WHERE status = 'overdue'), $2)
        FROM installment GROUP BY agency_id HAVING count(*) FILTER (WHERE status = 'overdue') <> $2
        UNION ALL
        SELECT format('installment %s, due %s, is %s after %s changes and in %s ledger rows',
          id, student_due_date, status, changes, ledger_rows)
        FROM installment
        WHERE changes <> CASE status WHEN 'overdue' THEN 1 ELSE 0 END
          OR ledger_rows <> CASE status WHEN 'overdue' THEN 1 ELSE 0 END
          OR (status = 'overdue' AND student_due_date > cutoff_date)
        UNION ALL
        SELECT format('installment %s became overdue %s before its cutoff', id, cutoff_at - changed_at)
        FROM installment WHERE changed_at < cutoff_at
        UNION ALL
        SELECT format('run %s of jobs_log says %s installments, its ledger %s', j.id, j.records_updated, l.total)
        FROM jobs_log j
        JOIN (
          SELECT job_id, sum(records_updated) AS total FROM agency_runs GROUP BY job_id
        ) l ON l.job_id = j.id
        WHERE coalesce(j.records_updated, 0) <> l.total AND EXISTS (SELECT FROM run WHERE job_id = j.id)
        UNION ALL
        SELECT format('run %s is still running', id) FROM jobs_log WHERE status = 'running'
        """;

    private const string Lateness =
        """
        WITH late AS (
          SELECT m.cutoff_at, max(s.at) - m.cutoff_at AS by, count(*) AS installments
          FROM expected_cutoffs m
          JOIN payment_plans p USING (agency_id)
          JOIN installments i ON i.payment_plan_id = p.id
          JOIN status_changes s ON s.installment_id = i.id
          WHERE schedule = $1
          GROUP BY m.agency_id, m.cutoff_at
        )
        SELECT format('%s cutoffs, %s installments; later than 1 s: %s, than 5 s: %s, than 20 s: %s; at most %s s',
          count(*), sum(installments), count(*) FILTER (WHERE by > interval '1 second'),
          count(*) FILTER (WHERE by > interval '5 seconds'), count(*) FILTER (WHERE by > interval '20 seconds'),
          round(extract(epoch FROM max(by)), 1))
        FROM late
        """;

    private async Task<bool> IsTrueAsync(string condition) => Assert.Single(await database.ListAsync<bool>(
        string.Create(
            CultureInfo.InvariantCulture,
            $"WITH mine AS (SELECT * FROM expected_cutoffs WHERE schedule = $1) SELECT {condition}"),
        id));
}
