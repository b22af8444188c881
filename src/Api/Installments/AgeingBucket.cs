using NodaTime;

namespace Actors.Api.Installments;

/// <summary>
/// How long something has been overdue, in days from its due date to the agency's local today. What became overdue at
/// today's own cutoff is 0 days past due, and stands in the first bucket with the rest.
/// </summary>
/// <param name="Word">As the API spells it.</param>
/// <param name="Least">The fewest days; null for no limit.</param>
/// <param name="Most">The most days; null for no limit.</param>
internal sealed record AgeingBucket(string Word, int? Least, int? Most)
{
    public static IReadOnlyList<AgeingBucket> All { get; } =
        [new("1-30", null, 30), new("31-60", 31, 60), new("61-90", 61, 90), new("over-90", 91, null)];

    public static AgeingBucket Named(string word) => All.Single(bucket => bucket.Word == word);

    public static AgeingBucket Of(int daysPastDue) =>
        All.First(bucket => bucket.Most is null || daysPastDue <= bucket.Most);

    /// <summary>The bucket's word of a number of days in SQL; null where that is null.</summary>
    public static string Sql(string days) =>
        $"CASE WHEN {days} <= 30 THEN '1-30' WHEN {days} <= 60 THEN '31-60' WHEN {days} <= 90 THEN '61-90' "
        + $"WHEN {days} > 90 THEN 'over-90' END";

    /// <summary>The earliest due date that can stand in this bucket, where today is this date or later.</summary>
    public LocalDate? FirstDueDate(LocalDate? today) => Most is { } days ? today?.PlusDays(-days) : null;

    /// <summary>The latest due date that can stand in this bucket, where today is this date or earlier.</summary>
    public LocalDate? LastDueDate(LocalDate? today) => Least is { } days ? today?.PlusDays(-days) : null;
}
