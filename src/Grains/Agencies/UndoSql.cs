namespace Actors.Grains.Agencies;

/// <summary>The statements of one undo, in the order in which they run.</summary>
internal static class UndoSql
{
    /// <summary>
    /// What is left to wait for is a row that changed hands between two statements. A run that is too large is told
    /// apart from a lost connection, which Npgsql assumes after a minute.
    /// </summary>
    public const string Patience = "SET LOCAL lock_timeout = 2000; SET LOCAL statement_timeout = 45000";

    public const string Find =
        """
        SELECT r.records_updated, u.undone_at
        FROM agency_runs r
        LEFT JOIN agency_run_undos u ON u.agency_run_id = r.id
        WHERE r.id = @run AND r.agency_id = @agency
        """;

    /// <summary>
    /// First lock what is overdue of the run, skipping what somebody else holds, and answer that. A payment that is
    /// under way there is not waited for: the undo is given up, and tried again.
    /// </summary>
    public const string Lock =
        """
        WITH run AS MATERIALIZED (
          SELECT installment_ids FROM agency_runs WHERE id = @run
        ), free AS MATERIALIZED (
          SELECT i.id FROM installments i
          WHERE i.id = ANY ((SELECT installment_ids FROM run)::uuid[]) AND i.status = 'overdue'
          FOR NO KEY UPDATE OF i SKIP LOCKED
        )
        SELECT i.id FROM installments i
        WHERE i.id = ANY ((SELECT installment_ids FROM run)::uuid[]) AND i.status = 'overdue'
          AND i.id NOT IN (SELECT id FROM free)
        ORDER BY i.id
        LIMIT @listed
        """;

    /// <summary>
    /// Then, in a statement of its own, judge each as it is under the lock, restore what nobody has touched since, and
    /// record it; nothing is recorded where nothing is restored.
    /// </summary>
    public const string Undo =
        """
        WITH run AS MATERIALIZED (
          SELECT id, agency_id, completed_at, installment_ids FROM agency_runs WHERE id = @run
        ), named AS MATERIALIZED (
          SELECT unnest(installment_ids) AS id FROM run
        ), later AS MATERIALIZED (
          SELECT later.id, later.installment_ids
          FROM run
          JOIN agency_runs later ON later.agency_id = run.agency_id AND later.completed_at >= run.completed_at
          WHERE (later.completed_at, later.id) > (run.completed_at, run.id)
        ), held AS MATERIALIZED (
          -- What an undo of a later run has left out, that run still holds.
          SELECT id, unnest(installment_ids) AS installment_id FROM later
          EXCEPT
          SELECT u.agency_run_id, unnest(u.restored_ids)
          FROM later JOIN agency_run_undos u ON u.agency_run_id = later.id
        ), judged AS MATERIALIZED (
          -- As text, because an application's enum need not know the word paid.
          SELECT n.id,
                 CASE WHEN i.id IS NULL THEN 'deleted'
                      WHEN i.status::text = 'paid' THEN 'paid'
                      WHEN i.status <> 'overdue' OR p.agency_id <> @agency THEN 'changed'
                      WHEN n.id IN (SELECT installment_id FROM held) THEN 'held_by_later_run' END AS why
          FROM named n
          LEFT JOIN installments i ON i.id = n.id
          LEFT JOIN payment_plans p ON p.id = i.payment_plan_id
        ), restored AS (
          UPDATE installments i
          SET status = 'pending'
          FROM judged j
          WHERE i.id = j.id AND j.why IS NULL AND i.status = 'overdue'
          RETURNING i.id
        ), left_out AS MATERIALIZED (
          -- What a trigger of the application has kept as it was counts as changed.
          SELECT id, coalesce(why, 'changed') AS why FROM judged WHERE id NOT IN (SELECT id FROM restored)
        ), recorded AS (
          INSERT INTO agency_run_undos (
            agency_run_id, agency_id, undone_at, undone_by, reason, restored_ids, left_out)
          SELECT @run, @agency, @at, @by, @reason,
                 array_agg(r.id ORDER BY r.id),
                 (SELECT coalesce(jsonb_agg(jsonb_build_object('installment_id', id, 'why', why) ORDER BY id), '[]')
                  FROM left_out)
          FROM restored r
          HAVING count(*) > 0
        )
        SELECT (SELECT count(*)::integer FROM restored), (SELECT count(*)::integer FROM left_out), listed.id, listed.why
        FROM (SELECT) AS one
        LEFT JOIN (SELECT id, why FROM left_out ORDER BY id LIMIT @listed) AS listed ON true
        ORDER BY listed.id
        """;

    /// <summary>What an earlier undo has recorded, in the same columns.</summary>
    public const string Recorded =
        """
        SELECT cardinality(u.restored_ids), jsonb_array_length(u.left_out), listed.installment_id, listed.why
        FROM agency_run_undos u
        LEFT JOIN LATERAL (
          SELECT * FROM jsonb_to_recordset(u.left_out) AS l (installment_id uuid, why text)
          ORDER BY l.installment_id LIMIT @listed
        ) AS listed ON true
        WHERE u.agency_run_id = @run
        ORDER BY listed.installment_id
        """;
}
