using NodaTime;

namespace Actors.Api.Agencies;

/// <summary>Due dates as they are read, and where in the ledger what was due on one may stand.</summary>
internal static class DueDate
{
    /// <summary>
    /// The due date of an installment `i`, brought into the years that a <see cref="LocalDate"/> and a cursor can hold;
    /// PostgreSQL's own reach to infinity.
    /// </summary>
    public const string Sql =
        """
        CASE WHEN i.student_due_date IS NOT NULL
          THEN least(greatest(i.student_due_date, DATE '0001-01-01'), DATE '9998-12-31') END
        """;

    /// <summary>In place of one that is not there any more: before every run that ever was.</summary>
    public static readonly LocalDate Unknown = new(2000, 1, 1);

    /// <summary>
    /// No run that marked what was due on this date ended earlier: nowhere on earth does a date close more than a day
    /// before it ends in UTC, and a day more spares thinking about it.
    /// </summary>
    public static Instant LedgerSince(LocalDate due) =>
        LocalDate.Max(due, Unknown).PlusDays(-2).AtMidnight().InUtc().ToInstant();
}
