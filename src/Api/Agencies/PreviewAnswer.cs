using Actors.Api.Answers;
using NodaTime;

namespace Actors.Api.Agencies;

/// <summary>What a run of an agency would mark at one instant, and what it would not. Nothing was changed.</summary>
/// <param name="AgencyId">The agency.</param>
/// <param name="Rule">The values that decide.</param>
/// <param name="WouldMark">How many installments a run would mark, and the sums of their amounts: of all pages.</param>
/// <param name="WouldLeave">The same for those that it would not mark, by the reason.</param>
/// <param name="Items">One page of the agency's installments, by due date, those without one last.</param>
/// <param name="Next">To be sent as `cursor` for the page after it; null on the last page.</param>
public sealed record PreviewAnswer(
    Guid AgencyId,
    RuleAnswer Rule,
    AmountTotal WouldMark,
    IReadOnlyList<ReasonTotal> WouldLeave,
    IReadOnlyList<PreviewItem> Items,
    string? Next);

/// <summary>How many installments are left for one reason, and the sums of their amounts.</summary>
/// <param name="Amounts">A sum for each currency, in the order of their words.</param>
public sealed record ReasonTotal(string Reason, long Count, IReadOnlyList<MoneySum> Amounts);

/// <summary>One installment in a preview.</summary>
/// <param name="InstallmentId">`installments.id`.</param>
/// <param name="PaymentPlanId">Its plan.</param>
/// <param name="Amount">Its amount; null where it has none, or one that is no number.</param>
/// <param name="DueDate">Null where it has none.</param>
/// <param name="Status">Its status, as the database has it.</param>
/// <param name="PlanStatus">Its plan's status, as the database has it.</param>
/// <param name="WouldMark">Whether a run would mark it.</param>
/// <param name="Reason">
/// `due`: it would be marked. Else why not: `notDueUntil`, `planNotActive`, `noDueDate`, `paid`, `otherStatus`,
/// `alreadyOverdue`, `agencyPaused`, or `zoneUnknown`.
/// </param>
/// <param name="StandsUnder">The date in whose row of the ledger it would stand; null where it would not.</param>
/// <param name="NotDueUntil">The date whose cutoff it waits for; null where it does not.</param>
/// <param name="OverdueSince">
/// The cutoff under which it was marked; null where it is not overdue, or no run since its due date names it.
/// </param>
public sealed record PreviewItem(
    Guid InstallmentId,
    Guid PaymentPlanId,
    decimal? Amount,
    LocalDate? DueDate,
    string Status,
    string PlanStatus,
    bool WouldMark,
    string Reason,
    LocalDate? StandsUnder,
    LocalDate? NotDueUntil,
    WallTime? OverdueSince);
