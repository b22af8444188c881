namespace Actors.Grains.Installments;

/// <summary>The statements of one marking transaction, in the order in which they run.</summary>
internal static class MarkingSql
{
    /// <summary>Marks what is due, waiting a moment for rows that somebody else holds.</summary>
    public const string Mark = Head + MarkDue + LedgerAndWatermark;

    /// <summary>Marks what is due, leaving out the agencies of which somebody else holds a row.</summary>
    public const string MarkUnlocked = Head + MarkDueUnlocked + LedgerAndWatermark;

    /// <summary>
    /// A failure before any date was known gives way to the row of the first date, where there is one by now: whoever
    /// was left out keeps it.
    /// </summary>
    public const string ForgetFailures =
        """
        DELETE FROM agency_runs r USING agency_cutoffs c
        WHERE r.agency_id = ANY (@failed_agencies) AND r.cutoff_date IS NULL AND r.status = 'failed'
          AND c.agency_id = r.agency_id AND c.last_cutoff_date IS NOT NULL
        """;

    /// <summary>
    /// Of agencies that are well again; whoever was left out is not yet. An alert that somebody holds is left to the
    /// next sweep.
    /// </summary>
    public const string ResolveFailures =
        """
        UPDATE alerts a SET resolved_at = coalesce(@now, clock_timestamp())
        FROM (
          SELECT id FROM alerts
          WHERE resolved_at IS NULL AND dedup_key IN (
            SELECT 'agency_failed:' || agency_id FROM agency_cutoffs
            WHERE agency_id = ANY (@failed_agencies) AND failed_attempts = 0)
          FOR NO KEY UPDATE SKIP LOCKED) AS free
        WHERE a.id = free.id
        """;

    private const string Head =
        """
        WITH agency AS (
          SELECT * FROM unnest(@agencies, @first_dates, @through_dates, @last_dates, @last_ats, @next_dates, @next_ats)
            AS a (agency_id, first_date, through_date, last_date, last_at, next_date, next_at)
        ), run AS (
          SELECT * FROM unnest(
              @run_agencies, @run_jobs, @run_triggers, @run_dates, @run_ats, @run_serves, @run_late_by,
              @run_resolutions, @run_timezones, @run_times, @run_requested_by, @run_reasons)
            AS r (agency_id, job_id, trigger, cutoff_date, cutoff_at, serves_cutoff, late_by,
                  resolution, timezone, overdue_cutoff_time, requested_by, reason)
        ),

        """;

    /// <summary>
    /// Two ways to the same rows, of which one is walked. Where little is due in the whole database, as at most
    /// cutoffs, it is read by date, and each row asked for its agency: what that costs does not depend on how many
    /// plans the agencies have. Where there is more, each plan of these agencies is looked at.
    /// </summary>
    private const string MarkDue =
        """
        busy AS (
          SELECT NULL::uuid AS agency_id WHERE false
        ), due AS MATERIALIZED (
          -- In the order of dates, so that it is read by that index whatever the statistics say.
          SELECT id, payment_plan_id FROM installments
          WHERE status = 'pending' AND student_due_date <= @latest_date
          ORDER BY student_due_date
          LIMIT @few + 1
        ), marked_by_date AS (
          UPDATE installments i
          SET status = 'overdue'
          FROM due d
          -- OFFSET 0 keeps PostgreSQL from reading all plans of these agencies instead of those few.
          CROSS JOIN LATERAL (
            SELECT agency_id FROM payment_plans WHERE id = d.payment_plan_id AND status = 'active' OFFSET 0) p
          JOIN agency a ON a.agency_id = p.agency_id
          WHERE i.id = d.id
            AND i.status = 'pending'
            AND i.student_due_date <= a.through_date
            AND (SELECT count(*) FROM due) <= @few
          RETURNING i.id, a.agency_id, greatest(i.student_due_date, a.first_date) AS cutoff_date
        ), marked_by_plan AS (
          UPDATE installments i
          SET status = 'overdue'
          FROM agency a
          JOIN payment_plans p ON p.agency_id = a.agency_id
          WHERE i.payment_plan_id = p.id
            AND p.status = 'active'
            AND i.status = 'pending'
            AND i.student_due_date <= a.through_date
            -- Says nothing new, but as a value that is known when the statement is planned: with it PostgreSQL takes
            -- the index of what is pending by plan and date, without it that of all installments of a plan.
            AND i.student_due_date <= @latest_date
            AND (SELECT count(*) FROM due) > @few
          RETURNING i.id, a.agency_id, greatest(i.student_due_date, a.first_date) AS cutoff_date
        ), marked AS (
          SELECT id, agency_id, cutoff_date FROM marked_by_date
          UNION ALL
          SELECT id, agency_id, cutoff_date FROM marked_by_plan
        )
        """;

    private const string MarkDueUnlocked =
        """
        due AS MATERIALIZED (
          SELECT i.id, i.student_due_date, a.agency_id, greatest(i.student_due_date, a.first_date) AS cutoff_date
          FROM agency a
          JOIN payment_plans p ON p.agency_id = a.agency_id
          JOIN installments i ON i.payment_plan_id = p.id
          WHERE p.status = 'active'
            AND i.status = 'pending'
            AND i.student_due_date <= a.through_date
            AND i.student_due_date <= @latest_date
        ), free AS MATERIALIZED (
          -- Status and date are looked at again under the lock: a date that was put off meanwhile must not be marked.
          SELECT i.id
          FROM due d
          JOIN installments i ON i.id = d.id
          WHERE i.status = 'pending' AND i.student_due_date = d.student_due_date
          FOR NO KEY UPDATE OF i SKIP LOCKED
        ), busy AS MATERIALIZED (
          -- What was paid or put off between the statement's snapshot and the lock counts as busy too: the next try
          -- finds it as it is then.
          SELECT DISTINCT agency_id FROM due WHERE id NOT IN (SELECT id FROM free)
        ), marked AS (
          UPDATE installments i
          SET status = 'overdue'
          FROM due d
          WHERE i.id = d.id AND d.agency_id NOT IN (SELECT agency_id FROM busy)
          RETURNING i.id, d.agency_id, d.cutoff_date
        )
        """;

    private const string LedgerAndWatermark =
        """
        , counted AS (
          SELECT agency_id, cutoff_date, array_agg(id) AS ids FROM marked GROUP BY agency_id, cutoff_date
        ), ledger AS (
          INSERT INTO agency_runs (
            job_id, agency_id, cutoff_date, cutoff_at, serves_cutoff, trigger, requested_by, reason,
            started_at, completed_at, late_by, status, records_updated, installment_ids,
            timezone, overdue_cutoff_time, resolution, tzdb_version)
          SELECT r.job_id, r.agency_id, r.cutoff_date, r.cutoff_at, r.serves_cutoff, r.trigger, r.requested_by,
                 r.reason, @started_at, coalesce(@now, clock_timestamp()), r.late_by, 'success',
                 coalesce(cardinality(c.ids), 0), coalesce(c.ids, '{}'),
                 r.timezone, r.overdue_cutoff_time, r.resolution, @tzdb_version
          FROM run r
          LEFT JOIN counted c ON c.agency_id = r.agency_id AND c.cutoff_date = r.cutoff_date
          WHERE r.agency_id NOT IN (SELECT agency_id FROM busy)
          -- A failed attempt owns its date's row; the attempt that succeeds takes it over.
          ON CONFLICT (agency_id, cutoff_date) WHERE serves_cutoff DO UPDATE
          SET job_id = excluded.job_id, cutoff_at = excluded.cutoff_at, trigger = excluded.trigger,
              requested_by = excluded.requested_by, reason = excluded.reason, started_at = excluded.started_at,
              completed_at = excluded.completed_at, late_by = excluded.late_by, status = excluded.status,
              records_updated = excluded.records_updated, installment_ids = excluded.installment_ids,
              timezone = excluded.timezone, overdue_cutoff_time = excluded.overdue_cutoff_time,
              resolution = excluded.resolution, tzdb_version = excluded.tzdb_version, error_message = NULL
          WHERE agency_runs.status = 'failed'
          RETURNING agency_id, cutoff_date, records_updated
        ), advanced AS (
          UPDATE agency_cutoffs c
          SET last_cutoff_date = a.last_date, last_cutoff_at = a.last_at,
              next_cutoff_date = a.next_date, next_cutoff_at = a.next_at, tzdb_version = @tzdb_version,
              set_aside_until = NULL, failed_attempts = 0, last_error = NULL
          FROM agency a
          WHERE c.agency_id = a.agency_id AND a.agency_id NOT IN (SELECT agency_id FROM busy)
        )
        SELECT agency_id, cutoff_date, records_updated FROM ledger
        UNION ALL
        SELECT agency_id, NULL, NULL FROM busy
        """;
}
