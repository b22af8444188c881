using Actors.Grains.Interfaces;
using Actors.Tests.Simulation.Oracle;
using Actors.Tests.Simulation.Silos;
using NodaTime;

namespace Actors.Tests.Simulation.Application;

/// <summary>
/// What others ask for beside the cutoffs: runs by the API and by SQL, and transactions that hold rows for a while.
/// </summary>
internal sealed class Requests(Desk desk, Cluster cluster)
{
    private readonly List<Held> _held = [];

    public void Act(AgencyFacts agency)
    {
        switch (desk.Chance.Below(100))
        {
            case < 20:
                RunOne(agency);
                break;
            case < 23:
                RunSome();
                break;
            case < 28:
                Pause(agency);
                break;
            case < 34:
                Resume(agency);
                break;
            case < 40:
                Undo();
                break;
            case < 47:
                RunInSql(isAsked: true);
                break;
            case < 85:
                HoldInstallments(agency);
                break;
            case < 98:
                HoldWatermark(agency);
                break;
            default:
                LeaveRunning();
                break;
        }
    }

    /// <summary>Ends the transaction that a session holds rows with, or says that there is none.</summary>
    public bool EndOf(int pid)
    {
        if (_held.Find(held => held.Transaction.Pid == pid) is not { } held) return false;
        End(held);
        return true;
    }

    public void EndAll()
    {
        foreach (var held in _held.ToArray()) End(held);
    }

    /// <summary>
    /// `update_installment_statuses()`, or the watchdog's own: what they do at an instant that is given.
    /// </summary>
    public void RunInSql(bool isAsked)
    {
        desk.Diary.NextStep();
        var served = desk.Bureau.Call(
            isAsked ? "SELECT count(*) FROM serve_cutoffs_in_sql(@now, true)" : "SELECT run_watchdog(@now)::bigint",
            desk.Now);
        if (!isAsked && served > 0) desk.Storms.Note("the watchdog serves");
        desk.Diary.Tell($"SQL serves {served?.ToString() ?? "no"} agencies "
            + $"({(isAsked ? "asked" : "watchdog")})");
    }

    private void RunOne(AgencyFacts agency)
    {
        desk.Diary.Tell($"somebody asks for a run of agency {agency.Id}");
        var request = new RunRequest(RunTrigger.Api, new JobId(desk.Chance.Id()), "somebody", "for a reason");
        cluster.CallAsync(new AgencyId(agency.Id), grain => grain.BringUpToDateAsync(request)).Ignore();
    }

    /// <summary>Of all, or of some; and somebody who hears nothing asks again under the same id.</summary>
    private void RunSome()
    {
        var agencies = desk.Chance.Percent(50)
            ? null
            : desk.Facts.Agencies.Keys.Take(desk.Chance.From(1, 5)).Select(id => new AgencyId(id)).ToArray();
        var request = new RunAllRequest(new JobId(desk.Chance.Id()), "somebody", null, agencies);
        for (var time = desk.Chance.From(1, 2); time > 0; time--)
        {
            desk.Agenda.After(desk.Chance.Between(Duration.Zero, Duration.FromMinutes(1)), () =>
            {
                desk.Diary.Tell($"somebody asks for a run of {agencies?.Length.ToString() ?? "all"}");
                cluster.CallCoordinatorAsync(coordinator => coordinator.RunAllAsync(request)).Ignore();
            });
        }
    }

    private void Pause(AgencyFacts agency)
    {
        desk.Diary.Tell($"somebody asks to pause agency {agency.Id}");
        cluster.CallAsync(new AgencyId(agency.Id), grain => grain.PauseAsync("somebody", "for a reason")).Ignore();
        desk.Agenda.After(
            desk.Chance.Between(Duration.FromMinutes(1), Duration.FromDays(4)), () => Resume(agency));
    }

    private void Resume(AgencyFacts agency)
    {
        var mode = desk.Chance.Of([ResumeMode.CatchUp, ResumeMode.Skip]);
        desk.Diary.Tell($"somebody asks to resume agency {agency.Id} ({mode})");
        cluster.CallAsync(
            new AgencyId(agency.Id), grain => grain.ResumeAsync("somebody", "for a reason", mode)).Ignore();
    }

    /// <summary>Mostly a run that was undone before, or whose installments are paid by now, is left as it is.</summary>
    private void Undo()
    {
        if (desk.Facts.Marks.Count == 0) return;
        var run = desk.Chance.Of([.. desk.Facts.Marks.TakeLast(30)]);
        if (!desk.Facts.Installments.TryGetValue(run.Value.First(), out var marked)) return;
        var agency = marked.Plan.Agency.Id;
        desk.Diary.Tell($"somebody asks to undo a run of agency {agency}");
        cluster.CallAsync(
            new AgencyId(agency), grain => grain.UndoRunAsync(run.Key, "somebody", "for a reason")).Ignore();
    }

    /// <summary>Payments, or later due dates, that take their time to be committed, or are rolled back.</summary>
    private void HoldInstallments(AgencyFacts agency)
    {
        var today = desk.Now.InUtc().Date;
        var rows = agency.Installments
            .Where(i => i.Status.Now == "pending" && i.Due.Now <= today.PlusDays(1))
            .Take(desk.Chance.From(1, 3)).ToArray();
        if (rows.Length == 0) return;
        var (isPaid, due) = (desk.Chance.Percent(70), today.PlusDays(desk.Chance.From(3, 9)));
        var transaction = desk.Bureau.Begin(
            isPaid
                ? "UPDATE installments SET status = 'paid' WHERE id = ANY (@ids)"
                : "UPDATE installments SET student_due_date = @due WHERE id = ANY (@ids)",
            ("ids", rows.Select(row => row.Id).ToArray()), ("due", due));
        Hold(agency, transaction, $"somebody is {(isPaid ? "paying" : "putting off")} {rows.Length} installments", () =>
        {
            foreach (var row in rows)
            {
                if (isPaid) row.Status.Set(desk.Diary.Step, "paid");
                else row.Due.Set(desk.Diary.Step, due);
            }
        });
    }

    /// <summary>A tool of some administrator has the agency's watermark locked.</summary>
    private void HoldWatermark(AgencyFacts agency) => Hold(
        agency,
        desk.Bureau.Begin("SELECT FROM agency_cutoffs WHERE agency_id = @id FOR UPDATE", ("id", agency.Id)),
        "somebody holds the watermark", () => { });

    private void Hold(AgencyFacts agency, SlowTransaction? transaction, string what, Action committed)
    {
        desk.Diary.NextStep();
        desk.Diary.Tell($"{what} of agency {agency.Id}{(transaction is null ? ": refused" : "")}");
        if (transaction is null) return;
        desk.Storms.Note("somebody holds rows");
        var held = new Held(agency, transaction, desk.Chance.Percent(75), committed);
        _held.Add(held);
        var length = desk.Chance.Percent(80)
            ? desk.Chance.Between(Duration.FromMilliseconds(1), Duration.FromSeconds(20))
            : desk.Chance.Between(Duration.FromSeconds(20), Duration.FromMinutes(15));
        agency.ExcusedUntil = Instant.Max(agency.ExcusedUntil, desk.Now + length);
        desk.Agenda.After(length, () => End(held));
    }

    private void End(Held held)
    {
        if (!_held.Remove(held)) return;
        held.Transaction.End(held.Commits);
        desk.Diary.NextStep();
        desk.Diary.Tell($"what was held of agency {held.Agency.Id} is {(held.Commits ? "committed" : "rolled back")}");
        if (held.Commits) held.Committed();
    }

    /// <summary>Another program opens a run under our name and never closes it.</summary>
    private void LeaveRunning() => desk.Do(
        "another program leaves a run open",
        ["INSERT INTO jobs_log (id, job_name, started_at, status) VALUES (@id, @name, @now, 'running')"],
        ("id", desk.Chance.Id()), ("name", JobNames.UpdateInstallmentStatuses));

    private sealed record Held(AgencyFacts Agency, SlowTransaction Transaction, bool Commits, Action Committed);
}
