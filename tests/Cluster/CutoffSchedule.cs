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

    /// <summary>
    /// Between the change of their settings and the first cutoff, for arming all of them anew. Where the machine is so
    /// busy that they are not armed by then, others get twice the time, up to the most.
    /// </summary>
    private const int LeadSeconds = 4;

    private const int MostLeadSeconds = 32;

    /// <summary>The worst that a test waits for after its last fault; what it really took is printed.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private readonly OwnPostgres database;
    private readonly Guid id = Guid.NewGuid();

    private DateTime last;
    private DateTime faultBegins = DateTime.MinValue.ToUniversalTime();
    private DateTime faultEnds = DateTime.MinValue.ToUniversalTime();
    private MachineLoad.Moment load = MachineLoad.Now();

    private CutoffSchedule(OwnPostgres database) => this.database = database;

    /// <summary>
    /// Adds them with cutoffs at the end of the day, and when silos know them all, moves these into the next seconds:
    /// so that what a cold silo takes for its first agencies does not count.
    /// </summary>
    /// <param name="database">Where.</param>
    /// <param name="agencies">How many.</param>
    /// <param name="seconds">Over how long their cutoffs are spread; 0 for one instant.</param>
    /// <param name="held">Holds the batches from before the cutoffs are moved, so that none can have passed.</param>
    internal static async Task<CutoffSchedule> ArmAsync(
        OwnPostgres database, int agencies, int seconds, Func<Task>? held = null)
    {
        for (var lead = LeadSeconds; ; lead *= 2)
        {
            var schedule = await ArmAsync(database, agencies, seconds, lead, held);
            if (held is not null || lead == MostLeadSeconds || await schedule.IsAheadAsync()) return schedule;
            TestContext.Current.TestOutputHelper?.WriteLine(
                $"{agencies} agencies were not armed within {lead} s, where work took "
                + $"{MachineLoad.StretchSince(schedule.load):N1} times as long; others get twice that.");
            // These would be served beside the others.
            await database.ExecuteAsync("DELETE FROM agencies WHERE name = $1::text", schedule.id);
            await database.ExecuteAsync("DELETE FROM expected_cutoffs WHERE schedule = $1", schedule.id);
        }
    }

    private static async Task<CutoffSchedule> ArmAsync(
        OwnPostgres database, int agencies, int seconds, int lead, Func<Task>? held)
    {
        var schedule = new CutoffSchedule(database);
        // After a fault of the database nobody may have heard yet that it is back, and what changes meanwhile.
        await Support.Eventually.HoldsAsync("a silo listens for changed agencies", Patience, () => schedule.IsTrueAsync(
            "EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'actors-listen' AND query LIKE 'LISTEN%')"));
        await database.ExecuteAsync(
            """
            INSERT INTO agencies (name, timezone, overdue_cutoff_time)
            SELECT $1::text, z.name, '23:59:59'
            FROM generate_series(0, $2 - 1) AS i
            JOIN (
              SELECT name, row_number() OVER (ORDER BY name) - 1 AS n, count(*) OVER () AS zones
              FROM supported_timezones
            ) z ON z.n = i % z.zones
            """,
            schedule.id, agencies);
        await Support.Eventually.HoldsAsync("every agency is armed", Patience, () => schedule.IsTrueAsync(
            """
            NOT EXISTS (
              SELECT FROM agencies a LEFT JOIN agency_cutoffs c ON c.agency_id = a.id
              WHERE a.name = $1::text AND c.next_cutoff_at IS NULL)
            """));
        if (held is not null) await held();
        await database.ExecuteAsync(
            """
            WITH coming AS (
              SELECT id AS agency_id, timezone, date_trunc('second', clock_timestamp()) + make_interval(
                secs => $4 + floor((row_number() OVER (ORDER BY timezone, id) - 1) * $3::float8 / $2)) AS cutoff_at
              FROM agencies WHERE name = $1::text
            ), expected AS (
              INSERT INTO expected_cutoffs (agency_id, schedule, cutoff_date, cutoff_at)
              SELECT agency_id, $1, (cutoff_at AT TIME ZONE timezone)::date, cutoff_at FROM coming
              RETURNING *
            ), moved AS (
              UPDATE agencies a SET overdue_cutoff_time = (c.cutoff_at AT TIME ZONE c.timezone)::time
              FROM coming c WHERE c.agency_id = a.id
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
            schedule.id, agencies, seconds, lead, DueOfEach);
        if (held is not null) return schedule;
        await Support.Eventually.HoldsAsync("every agency is armed anew", Patience, () => schedule.IsTrueAsync(
            "NOT EXISTS (SELECT FROM mine JOIN agency_cutoffs c USING (agency_id) WHERE c.next_cutoff_at IS NULL)"));
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

    /// <summary>Notes that something goes wrong from now on; what was served before is a control.</summary>
    public async Task FaultBeginsAsync()
    {
        faultBegins = await database.NowAsync();
        load = MachineLoad.Now();
    }

    /// <summary>
    /// Notes that from now on nothing is wrong with the database any more: no cutoff can have been late before.
    /// </summary>
    public async Task FaultEndsAsync() => faultEnds = await database.NowAsync();

    /// <summary>Chooses agencies whose cutoffs are still to come; these are judged apart from the others.</summary>
    public Task<IReadOnlyList<Guid>> SetApartAsync(int agencies) => database.ListAsync<Guid>(
        """
        UPDATE expected_cutoffs SET apart = true WHERE agency_id IN (
          SELECT agency_id FROM expected_cutoffs
          WHERE schedule = $1 AND cutoff_at > clock_timestamp() + interval '1 second' ORDER BY cutoff_at LIMIT $2)
        RETURNING agency_id
        """, id, agencies);

    /// <summary>Waits until every cutoff is served and every run closed, and requires all that must hold.</summary>
    /// <param name="promise">How late they may be at most.</param>
    /// <param name="ofThoseApart">The same of those that were set apart.</param>
    /// <returns>How late they were.</returns>
    public async Task<Lateness> RequireServedAsync(Bound promise, Bound? ofThoseApart = null)
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
        var late = await LatenessAsync(apart: false);
        Assert.True(late.Cutoffs > 0, $"The fault has met no cutoff: {late}");
        Promise.RequireKept(promise, late);
        if (ofThoseApart is { } other) Promise.RequireKept(other, await LatenessAsync(apart: true));
        return late;
    }

    /// <summary>The same, where only the bound of last resort is promised.</summary>
    public Task<Lateness> RequireServedAsync() => RequireServedAsync(Promise.Sweep);

    /// <summary>How late cutoffs were: those that were set apart, or all others.</summary>
    public async Task<Lateness> LatenessAsync(bool apart)
    {
        var figures = Assert.Single(await database.ListAsync<double[]>(
            LatenessSql, id, apart, faultBegins, faultEnds));
        return new Lateness(
            (int)figures[0], TimeSpan.FromSeconds(figures[1]), (int)figures[2], TimeSpan.FromSeconds(figures[3]),
            (int)figures[4], (int)figures[5], (int)figures[6], MachineLoad.StretchSince(load));
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

    private const string LatenessSql =
        """
        WITH late AS (
          SELECT m.agency_id, max(s.at) < $3 AS control, count(*) AS installments,
                 extract(epoch FROM max(s.at) - greatest(m.cutoff_at, CASE WHEN max(s.at) >= $3 THEN $4 END)) AS by
          FROM expected_cutoffs m
          JOIN payment_plans p USING (agency_id)
          JOIN installments i ON i.payment_plan_id = p.id
          JOIN status_changes s ON s.installment_id = i.id
          WHERE schedule = $1 AND apart = $2
          GROUP BY m.agency_id
        )
        SELECT ARRAY[
          count(*) FILTER (WHERE control), coalesce(max(by) FILTER (WHERE control), 0),
          count(*) FILTER (WHERE NOT control), coalesce(max(by) FILTER (WHERE NOT control), 0),
          count(*) FILTER (WHERE NOT control AND by > 1), count(*) FILTER (WHERE NOT control AND by > 5),
          sum(installments)]::float8[]
        FROM late
        """;

    /// <summary>Whether its first cutoff is still to come.</summary>
    private Task<bool> IsAheadAsync() => IsTrueAsync("(SELECT min(cutoff_at) > clock_timestamp() FROM mine)");

    private async Task<bool> IsTrueAsync(string condition) => Assert.Single(await database.ListAsync<bool>(
        $"WITH mine AS (SELECT * FROM expected_cutoffs WHERE schedule = $1) SELECT {condition}", id));
}
