using Actors.Api.Agencies;
using Actors.Api.Answers;
using NodaTime;

namespace Actors.Api.Installments;

/// <summary>Why one installment is overdue, or is not.</summary>
/// <param name="InstallmentId">`installments.id`.</param>
/// <param name="PaymentPlanId">Its plan.</param>
/// <param name="AgencyId">The agency whose rule holds for it.</param>
/// <param name="Amount">Its amount; null where it has none, or one that is no number.</param>
/// <param name="DueDate">Null where it has none: then it never becomes overdue.</param>
/// <param name="Status">Its status, as the database has it.</param>
/// <param name="PlanStatus">Its plan's status, as the database has it.</param>
/// <param name="IsOverdue">Whether it is overdue.</param>
/// <param name="Reason">
/// The words of the preview: `alreadyOverdue`, `due`, `notDueUntil`, `planNotActive`, `noDueDate`, `paid`,
/// `otherStatus`, `agencyPaused`, `zoneUnknown`; or `ruleUnknown` where it depends on the rule and no silo answers.
/// </param>
/// <param name="Sentence">The same for a person.</param>
/// <param name="OverdueSince">The cutoff at which it became overdue; null where it is not, or no run tells.</param>
/// <param name="BecomesOverdueAt">
/// The cutoff at which it becomes overdue if nothing happens to it; null where none does that, or where it is served
/// at this moment.
/// </param>
/// <param name="MarkedBy">The run that marked it, whatever came after that; null where no run tells.</param>
/// <param name="UndoneRuns">Runs that marked it and were taken back, the newest first.</param>
/// <param name="Rule">The values of the rule of now; null where no silo answers.</param>
/// <param name="Notice">Why something is null that need not be, in one sentence.</param>
public sealed record ExplainAnswer(
    Guid InstallmentId,
    Guid PaymentPlanId,
    Guid AgencyId,
    decimal? Amount,
    LocalDate? DueDate,
    string Status,
    string PlanStatus,
    bool IsOverdue,
    string Reason,
    string Sentence,
    WallTime? OverdueSince,
    WallTime? BecomesOverdueAt,
    LedgerItem? MarkedBy,
    IReadOnlyList<LedgerItem> UndoneRuns,
    RuleAnswer? Rule,
    string? Notice)
{
    internal static ExplainAnswer From(InstallmentFacts facts, Explanation explanation, AgencyRule rule) => new(
        facts.Id,
        facts.PaymentPlanId,
        facts.AgencyId,
        facts.Amount,
        facts.DueDate,
        facts.Status,
        facts.PlanStatus,
        explanation.Reason == MarkingReason.AlreadyOverdue,
        explanation.Reason,
        explanation.Sentence,
        explanation.Reason == MarkingReason.AlreadyOverdue ? facts.MarkedBy?.Cutoff : null,
        WallTime.At(explanation.BecomesOverdueAt, rule.Outlook?.Timezone ?? "UTC"),
        facts.MarkedBy,
        facts.UndoneRuns,
        rule.Outlook is { } outlook ? RuleAnswer.From(outlook) : null,
        rule.Notice);
}
