using NodaTime;

namespace Actors.Tests.Simulation.Oracle;

/// <summary>
/// Compares the whole database with the facts, as is done once a day and at the end: every status, every date, every
/// sum.
/// </summary>
internal sealed class Review(Facts facts, AuditTrail database)
{
    /// <summary>What must hold at any moment, whatever is wrong.</summary>
    public void EverythingAgrees()
    {
        StatusesAgree();
        DatesAgree();
        SumsAgree();
    }

    /// <summary>
    /// What must hold besides, when nothing has been wrong for a while: nothing is left of the faults.
    /// </summary>
    public void NothingIsLeft(Instant now)
    {
        Judge.Require(facts.OpenRuns.Count == 0, () => "a run is still open");
        Holds("somebody is set aside", 
            "SELECT string_agg(agency_id || ': ' || last_error, '; ') FROM agency_cutoffs WHERE failed_attempts > 0");
        Holds("a date that was served is failed", """
            SELECT string_agg(concat_ws(' ', r.agency_id, r.cutoff_date, r.error_message), '; ') FROM agency_runs r
            JOIN agency_cutoffs c ON c.agency_id = r.agency_id AND c.paused_at IS NULL
            WHERE r.status = 'failed' AND r.serves_cutoff AND r.cutoff_date <= c.last_cutoff_date
            """);
        Holds("an alert is open", """
            SELECT string_agg(message, '; ') FROM alerts
            WHERE resolved_at IS NULL AND kind IN ('agency_failed', 'cutoff_late', 'run_stuck')
            """);
        foreach (var agency in facts.Agencies.Values.Where(agency => !agency.IsPaused.Now))
        {
            Judge.Require(agency.NextCutoff > now, () =>
                $"agency {agency.Id} was served through {Judge.Date(agency.LastServed)} and no further by {now}");
        }
    }

    private void StatusesAgree()
    {
        var rows = database.List(
            "SELECT i.id, i.status::text, i.student_due_date, p.status::text FROM installments i "
            + "JOIN payment_plans p ON p.id = i.payment_plan_id",
            reader => (Id: reader.GetGuid(0), Status: reader.GetString(1),
                Due: reader.IsDBNull(2) ? (LocalDate?)null : reader.GetFieldValue<LocalDate>(2),
                Plan: reader.GetString(3)));
        Judge.Require(rows.Count == facts.Installments.Count, () =>
            $"there are {rows.Count} installments, and should be {facts.Installments.Count}");
        foreach (var row in rows)
        {
            var fact = facts.Installments[row.Id];
            Judge.Require(
                (row.Status, row.Due, row.Plan) == (fact.Status.Now, fact.Due.Now, fact.Plan.Status.Now), () =>
                    $"installment {row.Id} is {row.Status}, due {Judge.Date(row.Due)}, of a plan that is {row.Plan}; "
                    + $"it should be {fact.Status.Now}, due {Judge.Date(fact.Due.Now)}, {fact.Plan.Status.Now}");
        }
    }

    private void DatesAgree()
    {
        var rows = database.List(
            "SELECT agency_id, last_cutoff_date FROM agency_cutoffs",
            reader => (Id: reader.GetGuid(0), Last: reader.IsDBNull(1)
                ? (LocalDate?)null
                : reader.GetFieldValue<LocalDate>(1)));
        Judge.Require(rows.Count == facts.Agencies.Count, () =>
            $"there are {rows.Count} watermarks of {facts.Agencies.Count} agencies");
        foreach (var row in rows)
        {
            Judge.Require(row.Last == facts.Agencies[row.Id].LastServed, () =>
                $"the watermark of agency {row.Id} is {Judge.Date(row.Last)}, "
                + $"its ledger ends at {Judge.Date(facts.Agencies[row.Id].LastServed)}");
        }

        Holds("an agency has not one row for each date since it was armed", """
            SELECT string_agg(a.agency_id::text, '; ') FROM (
              SELECT agency_id, count(*) AS dates, max(cutoff_date) - min(cutoff_date) + 1 AS days
              FROM agency_runs WHERE serves_cutoff AND status <> 'failed' GROUP BY agency_id
            ) AS a WHERE a.dates <> a.days
            """);
    }

    private void SumsAgree()
    {
        Holds("a closed run says another number than its rows of the ledger", """
            SELECT string_agg(j.id::text, '; ') FROM jobs_log j
            WHERE j.status <> 'running' AND coalesce(j.records_updated, 0) <>
              (SELECT coalesce(sum(r.records_updated), 0) FROM agency_runs r WHERE r.job_id = j.id)
            """);
        var ledger = database.Ask<long>("SELECT coalesce(sum(records_updated), 0) FROM agency_runs");
        Judge.Require(ledger == facts.Marked, () => $"the ledger says {ledger} marked, {facts.Marked} were");
        var served = database.Ask<long>(
            "SELECT count(*) FROM agency_runs WHERE serves_cutoff AND status <> 'failed'");
        Judge.Require(served == facts.CutoffsServed, () =>
            $"the ledger says {served} cutoffs served, {facts.CutoffsServed} were");
        var closed = database.Ask<long>(
            "SELECT coalesce(sum(records_updated), 0) FROM jobs_log WHERE status <> 'running'");
        var known = facts.Runs.Values.Where(run => !facts.OpenRuns.Contains(run)).Sum(run => run.Marked);
        Judge.Require(closed == known, () => $"closed runs say {closed} marked, {known} were");
    }

    /// <summary>A query that names what must not be, or answers null.</summary>
    private void Holds(string violation, string named)
    {
        var found = database.Ask<string>(named);
        Judge.Require(found is null, () => $"{violation}: {found}");
    }
}
