using Actors.Tests.Simulation.Oracle;
using NodaTime;

namespace Actors.Tests.Simulation.Application;

/// <summary>What payers and clerks do: plans, installments, payments, other due dates.</summary>
internal sealed class Installments(Desk desk)
{
    private static readonly string[] PlanWords =
        ["draft", "active", "active", "active", "active", "active", "active", "paused", "completed", "cancelled"];
    private static readonly string[] SettledWords = ["paid", "paid", "paid", "paid", "partial", "cancelled"];
    private static readonly string[] NewWords =
        ["pending", "pending", "pending", "pending", "pending", "draft", "paid"];

    /// <summary>Does one thing for one agency.</summary>
    public void Act(AgencyFacts agency)
    {
        switch (desk.Chance.Below(100))
        {
            case < 35:
                Pay(agency);
                break;
            case < 50:
                ChangeDueDate(agency);
                break;
            case < 55:
                Reverse(agency);
                break;
            case < 75:
                AddInstallment(agency);
                break;
            case < 82:
                AddPlan(agency, desk.Chance.From(1, 8));
                break;
            case < 94:
                ChangePlan(agency);
                break;
            case < 98:
                DeleteInstallment(agency);
                break;
            default:
                DeletePlan(agency);
                break;
        }
    }

    public void AddPlan(AgencyFacts agency, int installments)
    {
        var (id, status) = (desk.Chance.Id(), desk.Chance.Of(PlanWords));
        var rows = Enumerable.Range(0, installments)
            .Select(_ => (Id: desk.Chance.Id(), Due: desk.SomeDueDate(), Status: desk.Chance.Of(NewWords)))
            .ToArray();
        if (!desk.Do($"plan {id} of agency {agency.Id} is new, {status}",
            [
                "INSERT INTO payment_plans (id, agency_id, status) VALUES (@id, @agency, @status)",
                """
                INSERT INTO installments (id, payment_plan_id, amount, student_due_date, status)
                SELECT i, @id, 10, d, s FROM unnest(@ids, @dues, @statuses) AS n (i, d, s)
                """,
            ],
            ("id", id), ("agency", agency.Id), ("status", status), ("ids", rows.Select(row => row.Id).ToArray()),
            ("dues", rows.Select(row => row.Due).ToArray()), ("statuses", rows.Select(row => row.Status).ToArray())))
            return;
        var plan = new PlanFacts(desk.Diary.Step, id, agency, status);
        desk.Facts.Add(plan);
        foreach (var row in rows)
            desk.Facts.Add(new InstallmentFacts(desk.Diary.Step, row.Id, plan, row.Due, row.Status));
    }

    private void AddInstallment(AgencyFacts agency)
    {
        if (Some(agency.Plans) is not { } plan) return;
        var (id, due, status) = (desk.Chance.Id(), desk.SomeDueDate(), desk.Chance.Of(NewWords));
        if (desk.Do($"installment {id} is new, due {Judge.Date(due)}, {status}",
            [
                "INSERT INTO installments (id, payment_plan_id, amount, student_due_date, status) "
                + "VALUES (@id, @plan, 10, @due, @status)",
            ],
            ("id", id), ("plan", plan.Id), ("due", Due(due)), ("status", status)))
            desk.Facts.Add(new InstallmentFacts(desk.Diary.Step, id, plan, due, status));
    }

    private void Pay(AgencyFacts agency)
    {
        if (Some(agency.Installments.Where(i => i.Status.Now is "pending" or "overdue")) is { } installment)
            SetStatus(installment, desk.Chance.Of(SettledWords));
    }

    /// <summary>A payment that is taken back: the installment can become overdue once more.</summary>
    private void Reverse(AgencyFacts agency)
    {
        if (Some(agency.Installments.Where(i => i.Status.Now is not "pending")) is { } installment)
            SetStatus(installment, "pending");
    }

    private void SetStatus(InstallmentFacts installment, string status)
    {
        if (desk.Do($"installment {installment.Id} was {installment.Status.Now} and is {status}",
            ["UPDATE installments SET status = @status WHERE id = @id"], ("id", installment.Id), ("status", status)))
            installment.Status.Set(desk.Diary.Step, status);
    }

    private void ChangeDueDate(AgencyFacts agency)
    {
        if (Some(agency.Installments) is not { } installment) return;
        var due = desk.SomeDueDate();
        if (desk.Do($"installment {installment.Id} is due {Judge.Date(due)} now",
            ["UPDATE installments SET student_due_date = @due WHERE id = @id"],
            ("id", installment.Id), ("due", Due(due))))
            installment.Due.Set(desk.Diary.Step, due);
    }

    private void ChangePlan(AgencyFacts agency)
    {
        if (Some(agency.Plans) is not { } plan) return;
        var status = desk.Chance.Of(PlanWords);
        if (desk.Do($"plan {plan.Id} is {status} now",
            ["UPDATE payment_plans SET status = @status WHERE id = @id"], ("id", plan.Id), ("status", status)))
            plan.Status.Set(desk.Diary.Step, status);
    }

    private void DeleteInstallment(AgencyFacts agency)
    {
        if (Some(agency.Installments) is { } installment && desk.Do($"installment {installment.Id} is deleted",
            ["DELETE FROM installments WHERE id = @id"], ("id", installment.Id)))
            desk.Facts.Remove(installment);
    }

    private void DeletePlan(AgencyFacts agency)
    {
        if (Some(agency.Plans) is { } plan && desk.Do($"plan {plan.Id} is deleted",
            ["DELETE FROM payment_plans WHERE id = @id"], ("id", plan.Id)))
            desk.Facts.Remove(plan);
    }

    private static object Due(LocalDate? due) => Bureau.OrNull(due);

    private T? Some<T>(IEnumerable<T> values) where T : class
    {
        var all = values.ToArray();
        return all.Length == 0 ? null : desk.Chance.Of(all);
    }
}
