using Actors.Api.Access;
using Actors.Api.Installments;
using NodaTime;
using Npgsql;
using NpgsqlTypes;

namespace Actors.Api.Agencies;

/// <summary>The sum of amounts in one currency.</summary>
/// <param name="Currency">As the application's table has it; null where it has none.</param>
public sealed record MoneySum(string? Currency, decimal Amount);

/// <summary>How many installments, and the sums of their amounts.</summary>
/// <param name="Amounts">A sum for each currency, in the order of their words.</param>
public sealed record AmountTotal(long Count, IReadOnlyList<MoneySum> Amounts)
{
    /// <summary>Adds up what one statement counted for each currency; what counts nothing adds no sum.</summary>
    internal static AmountTotal Of(IEnumerable<(string? Currency, long Count, decimal Amount)> parts)
    {
        var counted = parts.Where(part => part.Count > 0).ToArray();
        return new AmountTotal(
            counted.Sum(part => part.Count),
            [
                .. counted.GroupBy(part => part.Currency).OrderBy(group => group.Key, StringComparer.Ordinal)
                    .Select(group => new MoneySum(group.Key, group.Sum(part => part.Amount))),
            ]);
    }
}

/// <summary>How many installments are in one status, and the sums of their amounts.</summary>
/// <param name="Status">As the database has it.</param>
/// <param name="Amounts">A sum for each currency, in the order of their words.</param>
public sealed record StatusTotal(string Status, long Count, IReadOnlyList<MoneySum> Amounts);

/// <summary>An agency's installments in numbers.</summary>
/// <param name="ByStatus">Those in each status that occurs, in the order of words.</param>
/// <param name="DueSoon">
/// Of the pending ones under an active plan: those not yet due for marking whose due date lies between the agency's
/// local today and as many days ahead as it has set, both included. Null where the rule cannot be asked.
/// </param>
public sealed record AgencyTotals(IReadOnlyList<StatusTotal> ByStatus, AmountTotal? DueSoon)
{
    private const string Sql =
        $$"""
        SELECT i.status::text, {currency}, count(*), coalesce(sum({{InstallmentSql.Amount}}), 0),
               count(*) FILTER (WHERE s.is_soon),
               coalesce(sum({{InstallmentSql.Amount}}) FILTER (WHERE s.is_soon), 0)
        FROM payment_plans p
        JOIN installments i ON i.payment_plan_id = p.id
        CROSS JOIN LATERAL (
          SELECT i.status = 'pending' AND p.status = 'active' AND i.student_due_date > @closed_through
             AND i.student_due_date BETWEEN @today AND @today + @days
        ) AS s (is_soon)
        WHERE p.agency_id = @agency
        GROUP BY 1, 2
        ORDER BY 1
        """;

    internal static async Task<AgencyTotals> ReadAsync(
        CallerSession session, Guid agency, AgencyRule rule, int dueSoonDays, CancellationToken cancellationToken)
    {
        var currency = await InstallmentSql.CurrencyAsync(session, cancellationToken);
        var rows = await session.ReadAsync(
            Sql.WithCurrency(currency),
            reader => (
                Status: reader.TextOrNull(0) ?? "",
                All: (reader.TextOrNull(1), reader.GetInt64(2), reader.GetDecimal(3)),
                Soon: (reader.TextOrNull(1), reader.GetInt64(4), reader.GetDecimal(5))),
            cancellationToken,
            new NpgsqlParameter("agency", agency),
            Date("closed_through", rule.ClosedThrough),
            Date("today", rule.Today),
            new NpgsqlParameter("days", dueSoonDays));
        return new AgencyTotals(
            [
                .. from row in rows
                   group row.All by row.Status into status
                   let total = AmountTotal.Of(status)
                   select new StatusTotal(status.Key, total.Count, total.Amounts),
            ],
            rule.ClosedThrough is null ? null : AmountTotal.Of(rows.Select(row => row.Soon)));
    }

    private static NpgsqlParameter Date(string name, LocalDate? date) =>
        new(name, NpgsqlDbType.Date) { Value = date is { } known ? known : DBNull.Value };
}
