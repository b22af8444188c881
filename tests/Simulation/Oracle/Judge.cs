using System.Globalization;
using Actors.Tests.Simulation.Machine;
using Actors.Tests.Simulation.Silos;
using NodaTime;

namespace Actors.Tests.Simulation.Oracle;

/// <summary>What must never be was found to be.</summary>
internal sealed class ViolationException(string message) : Exception(message);

/// <summary>
/// Looks at every committed change, at once: never early, never twice, never a date left out, exactly what was due, and
/// nothing under a run that is closed. And whenever the clock goes on: nothing is late for longer than allowed, and no
/// run is open for longer than its limit, once nothing is wrong any more.
/// </summary>
internal sealed class Judge(Facts facts, Storms storms, Agenda agenda, Action<string> tell)
{
    /// <summary>
    /// Ten seconds until a cutoff counts as late, fifteen until a sweep, seven for retries, and as much again.
    /// </summary>
    private static readonly Duration LatenessAtMost = Duration.FromMinutes(1);

    private static readonly Duration RunLimit = Duration.FromMinutes(10);

    /// <summary>How long a coordinator that sweeps may take to close a run that has reached its limit.</summary>
    private static readonly Duration ClosingAtMost = Duration.FromMinutes(5);

    /// <summary>Judges what one transaction committed; its writes were made at the given step.</summary>
    public void Look(IReadOnlyList<AuditRow> rows, Func<int, int> stepOf)
    {
        foreach (var row in rows.Where(row => row.Kind == "job")) LookAtJob(row);
        foreach (var group in rows.Where(row => row.Kind is "ledger" or "installment").GroupBy(row => row.Pid))
            LookAtMarking([.. group], stepOf(group.Key));
        foreach (var row in rows.Where(row => row.Kind == "undo")) LookAtUndo(row, rows, stepOf(row.Pid));
        foreach (var row in rows.Where(row => row.Kind == "watermark")) LookAtWatermark(row, stepOf(row.Pid));
        foreach (var row in rows.Where(row => row.Kind == "job" && row.Status != "running")) LookAtClosed(row);
    }

    /// <summary>The clock is about to go on to an instant: who must have been served before?</summary>
    public void LookAhead(Instant next)
    {
        foreach (var agency in facts.Agencies.Values)
        {
            if (agency.IsPaused.Now || agency.IsPoisoned || agency.NextCutoff is not { } cutoff) continue;
            var due = Excused(agency, cutoff);
            Require(next <= due + LatenessAtMost, () =>
                $"agency {agency.Id} is lost: its cutoff of the date after {Date(agency.LastServed)} was at {cutoff}, "
                + $"nothing has been wrong since {due}, and it is not served by {next}");
        }

        foreach (var run in facts.OpenRuns)
        {
            var limit = Instant.Max(run.StartedAt + RunLimit, storms.LastDisturbance) + ClosingAtMost;
            Require(next <= limit, () =>
                $"run {run.Id} was opened at {run.StartedAt} and is still running at {next}, "
                + $"though nothing has been wrong since {storms.LastDisturbance}");
        }
    }

    public static void Require(bool holds, Func<string> violation)
    {
        if (!holds) throw new ViolationException(violation());
    }

    public static string Date(LocalDate? date) =>
        date?.ToString("uuuu-MM-dd", CultureInfo.InvariantCulture) ?? "(none)";

    private void LookAtJob(AuditRow row)
    {
        if (row.Operation == "INSERT")
        {
            facts.Add(new RunFacts(row.Id, row.StartedAt!.Value));
            return;
        }

        Require(row.Operation != "DELETE" || row.OldStatus == "running", () => $"the closed run {row.Id} was deleted");
        Require(row.Operation != "UPDATE" || row.OldStatus == "running" || row.OldStatus == row.Status, () =>
            $"run {row.Id} was closed as {row.OldStatus}, and is {row.Status} now");
        if (row.Operation != "DELETE") return;
        // One that came to nothing; whoever asks for it once more opens it anew.
        Require(facts.Runs[row.Id].Marked == 0, () => $"run {row.Id} was deleted, and has marked");
        facts.OpenRuns.Remove(facts.Runs[row.Id]);
        facts.Runs.Remove(row.Id);
    }

    private void LookAtClosed(AuditRow row)
    {
        var run = facts.Runs[row.Id];
        if (!facts.OpenRuns.Remove(run)) return;
        tell($"run of {run.StartedAt} by {row.Trigger}: {row.Status} {row.Records}");
        Require((row.Records ?? 0) == run.Marked, () =>
            $"run {row.Id} says {row.Records} installments, and its rows of the ledger {run.Marked}");
        Require((row.Status == "failed") == (row.Error is not null), () =>
            $"run {row.Id} is {row.Status} with the error '{row.Error}'");
    }

    /// <summary>An agency is set aside, paused or resumed, by whomever.</summary>
    private void LookAtWatermark(AuditRow row, int step)
    {
        if (!facts.Agencies.TryGetValue(row.Id, out var agency)) return;
        tell($"agency {row.Id} is {row.Status}, set aside until {row.StartedAt?.ToString() ?? "(not)"}");
        if (row.StartedAt is { } until) agency.ExcusedUntil = Instant.Max(agency.ExcusedUntil, until);
        if (row.Status == (agency.IsPaused.Now ? "paused" : "served")) return;
        agency.IsPaused.Set(step, row.Status == "paused");
        agency.SettingsChangedAt = row.CutoffAt!.Value;
        agency.ExcusedUntil = Instant.Max(agency.ExcusedUntil, agenda.Now);
    }

    /// <summary>
    /// Only what its run had marked, and nobody has touched since, is pending again; and all of that.
    /// </summary>
    private void LookAtUndo(AuditRow row, IReadOnlyList<AuditRow> rows, int step)
    {
        tell($"the run of agency {row.Agency} is undone, {row.Ids.Length} installments");
        Require(facts.Marks.TryGetValue(row.Id, out var marks), () => $"run {row.Id} was undone, and marked nothing");
        Require(facts.Undone.Add(row.Id), () => $"run {row.Id} was undone twice");
        var restored = rows.Where(other => (other.Kind, other.Status, other.Pid) == ("installment", "pending", row.Pid))
            .Select(other => other.Id).ToHashSet();
        Require(restored.SetEquals(row.Ids), () => $"the undo of run {row.Id} restored other rows than it says");
        Require(restored.IsSubsetOf(marks!), () => $"the undo of run {row.Id} restored what it had not marked");
        foreach (var id in restored)
        {
            Require(facts.Installments[id].Status.At(step) == "overdue", () =>
                $"installment {id} was {facts.Installments[id].Status.At(step)}, and an undo has made it pending");
            facts.Installments[id].Status.Set(step, "pending");
        }
    }

    /// <summary>All that one transaction marked and wrote into the ledger.</summary>
    private void LookAtMarking(AuditRow[] rows, int step)
    {
        var named = new Dictionary<Guid, AuditRow>();
        foreach (var row in rows.Where(row => row.Kind == "ledger"))
        {
            Require(row.Operation == "INSERT" || row.OldStatus == "failed", () =>
                $"{row.Operation} of the ledger's row {row.Id}, which was {row.OldStatus}");
            if (row.Status == "failed")
            {
                tell($"agency {row.Agency} {(row.Operation == "DELETE" ? "has no longer" : "has")} failed: cutoff of "
                    + $"{Date(row.CutoffDate)}, {(row.Serves == true ? "served" : "beside")}, {row.Error}");
            }

            if (row.Operation == "DELETE" || row.Status == "failed") continue;
            if (row.Ids.Length > 0) facts.Marks.Add(row.Id, [.. row.Ids]);
            foreach (var id in row.Ids)
                Require(named.TryAdd(id, row), () => $"installment {id} stands in two rows that one run wrote");
        }

        var marked = rows.Where(row => (row.Kind, row.Status) == ("installment", "overdue"))
            .Select(row => row.Id).ToHashSet();
        Require(marked.SetEquals(named.Keys), () =>
            $"marked without a row: {List(marked.Except(named.Keys))}; "
            + $"in the ledger, not marked: {List(named.Keys.Except(marked))}");
        var served = rows.Where(row => row.Kind == "ledger" && row.Operation != "DELETE" && row.Status != "failed");
        foreach (var agency in served.GroupBy(row => row.Agency!.Value))
            LookAtAgency(agency.Key, [.. agency.OrderBy(row => row.CutoffDate)], step);
    }

    private void LookAtAgency(Guid id, AuditRow[] rows, int step)
    {
        Require(facts.Agencies.TryGetValue(id, out var agency), () => $"agency {id} was served and is deleted");
        var isSkipping = rows[0].Status == "skipped";
        Require(agency!.IsPaused.At(step) == isSkipping, () => isSkipping
            ? $"dates of agency {id} were skipped, which is not paused"
            : $"agency {id} was served while it is paused");
        var now = rows[0].StartedAt!.Value;
        Require(now <= agenda.Now, () => $"agency {id} was served at {now}, and it is {agenda.Now}");
        var rule = agency.Settings.At(step).Rule;
        Require(rule is not null, () => $"agency {id} was served in the unknown zone {agency.Settings.At(step).Zone}");
        var passed = rule!.LastPassed(now);
        var isFirst = agency.LastServed is null;
        foreach (var row in rows) LookAtRow(agency, row, passed, rule, step);
        if (isSkipping) return;
        LookAtMarked(agency, rows, step);
        if (!isFirst && rows[0] is { Serves: true } first) CountLateness(agency, first, now);
    }

    private void LookAtRow(AgencyFacts agency, AuditRow row, LocalDate passed, RuleByHand rule, int step)
    {
        var date = row.CutoffDate!.Value;
        string Named() => $"agency {agency.Id} ({agency.Settings.At(step).Zone} {agency.Settings.At(step).Time}), "
            + $"cutoff of {Date(date)}, by {row.Trigger} at {row.StartedAt}";
        Require(row.Timezone == agency.Settings.At(step).Zone && row.CutoffTime == agency.Settings.At(step).Time,
            () => $"{Named()}: served under {row.Timezone} {row.CutoffTime}, which are not its settings");
        var (at, word) = rule.On(date);
        Require(at <= row.StartedAt, () => $"{Named()}: early, it is at {at}");
        Require(facts.Runs.TryGetValue(row.Job!.Value, out var run) && facts.OpenRuns.Contains(run),
            () => $"{Named()}: stands under the run {row.Job}, which is not open");
        // Of a cutoff that long ago its own run is over: a tick that finds it has only happened to, and catches up.
        Require(row.Trigger != "reminder" || row.CutoffAt is not { } said || row.StartedAt - said < RunLimit,
            () => $"{Named()}: so late after {row.CutoffAt}, it is catching up");
        run!.Marked += row.Ids.Length;
        facts.Marked += row.Ids.Length;
        tell($"{Named()}: {(row.Serves == true ? row.Status : "beside")} {row.Ids.Length} late {row.LateBy}");
        if (row.Serves != true)
        {
            Require(date == passed, () => $"{Named()}: a run beside marks through {Date(passed)}");
            return;
        }

        Require(row.CutoffAt == at, () => $"{Named()}: says that it was at {row.CutoffAt}, it was at {at}");
        Require(row.Resolution == word, () => $"{Named()}: says {row.Resolution}, it is {word}");
        Require(date == (agency.LastServed?.PlusDays(1) ?? passed),
            () => $"{Named()}: the date served before is {Date(agency.LastServed)}, the last passed {Date(passed)}");
        Duration? late = agency.LastServed is null || row.Status == "skipped" ? null : Duration.Max(
            Duration.Zero, row.StartedAt!.Value - Instant.Max(at, agency.SettingsChangedAt));
        Require(row.LateBy == late, () => $"{Named()}: says late by {row.LateBy}, it was {late}");
        agency.LastServed = date;
        facts.CutoffsServed++;
        if (late <= Duration.FromSeconds(1)) facts.OnTime++;
        if (late > facts.WorstLateness) facts.WorstLateness = late.Value;
    }

    /// <summary>Exactly what was pending and due in active plans, each under the right date.</summary>
    private void LookAtMarked(AgencyFacts agency, AuditRow[] rows, int step)
    {
        var (first, through) = (rows[0].CutoffDate!.Value, rows[^1].CutoffDate!.Value);
        var expected = agency.DueAt(step, through).ToDictionary(
            installment => installment.Id, installment => LocalDate.Max(installment.Due.At(step)!.Value, first));
        foreach (var row in rows)
        {
            var due = expected.Where(pair => pair.Value == row.CutoffDate).Select(pair => pair.Key).ToHashSet();
            Require(due.SetEquals(row.Ids), () =>
                $"agency {agency.Id}, cutoff of {Date(row.CutoffDate)} by {row.Trigger}: "
                + $"due and not marked: {List(due.Except(row.Ids))}; marked and not due: {List(row.Ids.Except(due))}");
            foreach (var id in row.Ids) facts.Installments[id].Status.Set(step, "overdue");
        }
    }

    private void CountLateness(AgencyFacts agency, AuditRow first, Instant now)
    {
        var late = now - Excused(agency, first.CutoffAt!.Value);
        if (late > facts.WorstUnexcused) facts.WorstUnexcused = late;
    }

    /// <summary>From when on a cutoff counts as late.</summary>
    private Instant Excused(AgencyFacts agency, Instant cutoff) => Instant.Max(
        Instant.Max(cutoff, agency.SettingsChangedAt), Instant.Max(agency.ExcusedUntil, storms.LastDisturbance));

    private string List(IEnumerable<Guid> ids) => string.Join(", ", ids.Take(5).Select(id =>
        facts.Installments.TryGetValue(id, out var installment)
            ? $"{id} (due {Date(installment.Due.Now)}, {installment.Status.Now}, plan {installment.Plan.Status.Now})"
            : $"{id} (unknown)"));
}
