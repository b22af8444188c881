using Actors.Grains.Interfaces;

namespace Actors.Api.Agencies;

/// <summary>
/// Why a run would mark an installment, or would not: the first that holds. The words are those of the API.
/// </summary>
internal static class MarkingReason
{
    public const string Due = "due";
    public const string NotDueUntil = "notDueUntil";
    public const string PlanNotActive = "planNotActive";
    public const string NoDueDate = "noDueDate";
    public const string Paid = "paid";
    public const string OtherStatus = "otherStatus";
    public const string AlreadyOverdue = "alreadyOverdue";
    public const string AgencyPaused = "agencyPaused";
    public const string ZoneUnknown = "zoneUnknown";

    /// <summary>
    /// What exactly a run marks: the words of the marker's own statement, with `i` the installment and `p` its plan.
    /// </summary>
    public const string IsDue =
        "p.status = 'active' AND i.status = 'pending' AND i.student_due_date <= @marks_through";

    /// <summary>
    /// The reason in SQL. The words of a status are compared as text where an application's enum may lack them.
    /// </summary>
    public const string Sql =
        $"""
        CASE
          WHEN {IsDue} THEN '{Due}'
          WHEN i.status = 'overdue' THEN '{AlreadyOverdue}'
          WHEN i.status::text = 'paid' THEN '{Paid}'
          WHEN i.status IS DISTINCT FROM 'pending' THEN '{OtherStatus}'
          WHEN p.status IS DISTINCT FROM 'active' THEN '{PlanNotActive}'
          WHEN i.student_due_date IS NULL THEN '{NoDueDate}'
          WHEN @marks_through IS NULL THEN @nothing_marked
          ELSE '{NotDueUntil}'
        END
        """;

    public static IReadOnlyList<string> All { get; } =
    [
        Due, NotDueUntil, PlanNotActive, NoDueDate, Paid, OtherStatus, AlreadyOverdue, AgencyPaused, ZoneUnknown,
    ];

    /// <summary>Why a run of an agency would mark nothing at all, where it would not.</summary>
    public static string NothingMarked(CutoffOutlook outlook) => outlook.IsPaused ? AgencyPaused : ZoneUnknown;
}
