using Actors.Api.Access;
using NodaTime;
using Npgsql;
using NpgsqlTypes;

namespace Actors.Api.Agencies;

/// <summary>How many installments, and the sum of their amounts.</summary>
public sealed record AmountTotal(long Count, decimal Amount);

/// <summary>How many installments are in one status, and the sum of their amounts.</summary>
/// <param name="Status">As the database has it.</param>
public sealed record StatusTotal(string Status, long Count, decimal Amount);

/// <summary>An agency's installments in numbers.</summary>
/// <param name="ByStatus">Those in each status that occurs, in the order of words.</param>
/// <param name="DueSoon">
/// Of the pending ones under an active plan: those not yet due for marking whose due date lies between the agency's
/// local today and as many days ahead as it has set, both included. Null where the rule cannot be asked.
/// </param>
public sealed record AgencyTotals(IReadOnlyList<StatusTotal> ByStatus, AmountTotal? DueSoon)
{
    private const string Sql =
        """
        SELECT i.status::text, count(*), coalesce(sum(i.amount), 0), count(*) FILTER (WHERE s.is_soon),
               coalesce(sum(i.amount) FILTER (WHERE s.is_soon), 0)
        FROM payment_plans p
        JOIN installments i ON i.payment_plan_id = p.id
        CROSS JOIN LATERAL (
          SELECT i.status = 'pending' AND p.status = 'active' AND i.student_due_date > @closed_through
             AND i.student_due_date BETWEEN @today AND @today + @days
        ) AS s (is_soon)
        WHERE p.agency_id = @agency
        GROUP BY 1
        ORDER BY 1
        """;

    internal static async Task<AgencyTotals> ReadAsync(
        CallerSession session, Guid agency, AgencyRule rule, int dueSoonDays, CancellationToken cancellationToken)
    {
        var rows = await session.ReadAsync(
            Sql,
            reader => (
                Status: new StatusTotal(reader.TextOrNull(0) ?? "", reader.GetInt64(1), reader.GetDecimal(2)),
                Soon: new AmountTotal(reader.GetInt64(3), reader.GetDecimal(4))),
            cancellationToken,
            new NpgsqlParameter("agency", agency),
            Date("closed_through", rule.ClosedThrough),
            Date("today", rule.Today),
            new NpgsqlParameter("days", dueSoonDays));
        return new AgencyTotals(
            [.. rows.Select(row => row.Status)],
            rule.ClosedThrough is null
                ? null
                : new AmountTotal(rows.Sum(row => row.Soon.Count), rows.Sum(row => row.Soon.Amount)));
    }

    private static NpgsqlParameter Date(string name, LocalDate? date) =>
        new(name, NpgsqlDbType.Date) { Value = date is { } known ? known : DBNull.Value };
}
