using Actors.Api.Access;
using Actors.Api.Answers;
using Npgsql;

namespace Actors.Api.Installments;

/// <summary>How many installments are open in one way, and the sum of their amounts.</summary>
/// <param name="AgencyId">The agency; null where it is the total of all.</param>
/// <param name="AgencyName">Its name.</param>
/// <param name="Status">`pending` or `overdue`.</param>
/// <param name="Group">
/// Of what is pending: `dueSoon`, or `notDueSoon`. Of what is overdue: `1-30`, `31-60`, `61-90` or `over-90` days past
/// due, or `unknown` without a due date, or where nobody knows the agency's zone.
/// </param>
/// <param name="Currency">The currency; null where the application's table has no such column.</param>
/// <param name="Count">How many.</param>
/// <param name="Amount">The sum of their amounts.</param>
public sealed record InstallmentTotal(
    Guid? AgencyId, string? AgencyName, string Status, string Group, string? Currency, long Count, decimal Amount)
{
    internal static IReadOnlyList<CsvColumn<InstallmentTotal>> CsvColumns { get; } =
    [
        new("agencyId", total => total.AgencyId),
        new("agencyName", total => total.AgencyName),
        new("status", total => total.Status),
        new("group", total => total.Group),
        new("currency", total => total.Currency),
        new("count", total => total.Count),
        new("amount", total => total.Amount),
    ];

    internal static InstallmentTotal Read(NpgsqlDataReader reader) => new(
        reader.ValueOrNull<Guid>(0),
        reader.TextOrNull(1),
        reader.GetString(2),
        reader.GetString(3),
        reader.TextOrNull(4),
        reader.GetInt64(5),
        reader.GetDecimal(6));
}
