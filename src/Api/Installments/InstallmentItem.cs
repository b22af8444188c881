using Actors.Api.Access;
using Actors.Api.Answers;
using NodaTime;
using Npgsql;

namespace Actors.Api.Installments;

/// <summary>An installment, and how it stands on its agency's local today.</summary>
/// <param name="Id">`installments.id`.</param>
/// <param name="PaymentPlanId">Its plan.</param>
/// <param name="PlanStatus">Its plan's status, as the database has it.</param>
/// <param name="AgencyId">The plan's agency.</param>
/// <param name="AgencyName">The agency's name.</param>
/// <param name="Timezone">The agency's IANA zone.</param>
/// <param name="Amount">Its amount; null where it has none, or one that is no number.</param>
/// <param name="Currency">Its currency; null where the application's table has no such column.</param>
/// <param name="DueDate">Null where it has none, or one outside of the years 1 to 9998.</param>
/// <param name="Status">Its status, as the database has it.</param>
/// <param name="IsDueSoon">
/// Whether it is pending under an active plan, not yet due for marking, and due between the agency's local today and as
/// many days ahead as the agency has set, both included.
/// </param>
/// <param name="DaysPastDue">
/// From the due date to the agency's local today, so less than 0 before it; null without a due date, or where nobody
/// knows the agency's zone.
/// </param>
/// <param name="Bucket">Of what is overdue: `1-30`, `31-60`, `61-90` or `over-90` days past due; else null.</param>
public sealed record InstallmentItem(
    Guid Id,
    Guid PaymentPlanId,
    string? PlanStatus,
    Guid AgencyId,
    string? AgencyName,
    string Timezone,
    decimal? Amount,
    string? Currency,
    LocalDate? DueDate,
    string? Status,
    bool IsDueSoon,
    int? DaysPastDue,
    string? Bucket)
{
    internal static IReadOnlyList<CsvColumn<InstallmentItem>> CsvColumns { get; } =
    [
        new("id", item => item.Id),
        new("paymentPlanId", item => item.PaymentPlanId),
        new("planStatus", item => item.PlanStatus),
        new("agencyId", item => item.AgencyId),
        new("agencyName", item => item.AgencyName),
        new("timezone", item => item.Timezone),
        new("amount", item => item.Amount),
        new("currency", item => item.Currency),
        new("dueDate", item => item.DueDate),
        new("status", item => item.Status),
        new("isDueSoon", item => item.IsDueSoon),
        new("daysPastDue", item => item.DaysPastDue),
        new("bucket", item => item.Bucket),
    ];

    /// <summary>Reads <see cref="InstallmentSql.Columns"/>.</summary>
    internal static InstallmentItem Read(NpgsqlDataReader reader)
    {
        var daysPastDue = reader.ValueOrNull<int>(11);
        var status = reader.TextOrNull(9);
        return new InstallmentItem(
            reader.GetGuid(0),
            reader.GetGuid(1),
            reader.TextOrNull(2),
            reader.GetGuid(3),
            reader.TextOrNull(4),
            reader.GetString(5),
            reader.ValueOrNull<decimal>(6),
            reader.TextOrNull(7),
            reader.ValueOrNull<LocalDate>(8),
            status,
            !reader.IsDBNull(10) && reader.GetBoolean(10),
            daysPastDue,
            status == "overdue" && daysPastDue is { } days ? AgeingBucket.Of(days).Word : null);
    }
}
