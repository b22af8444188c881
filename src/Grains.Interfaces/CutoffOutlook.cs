using NodaTime;

namespace Actors.Grains.Interfaces;

/// <summary>
/// What the rule says of one agency at one instant, under its settings of now and the watermark of now: which cutoffs
/// come next, which have passed unserved, and what a run that somebody asks for at that instant would mark. Values of
/// the rule only; which installments these are is a question for the database. Nothing was locked or changed.
/// </summary>
/// <param name="Agency">The agency that was asked for.</param>
/// <param name="At">
/// The instant it is about: the one that was given, taken to the nearest within the years 1970 to 9998, or else the
/// database's clock.
/// </param>
/// <param name="Timezone">The agency's IANA zone id, as it stands in `agencies`.</param>
/// <param name="CutoffTime">The local time of day at which a date closes.</param>
/// <param name="TzdbVersion">The release of the tz database that decided, such as 2026f.</param>
/// <param name="IsPaused">Its dates pass unserved until it is resumed.</param>
/// <param name="LastServed">The watermark; null for an agency that was never armed.</param>
/// <param name="NextCutoffs">
/// The next cutoffs that will be served, in the order of dates: each comes after <paramref name="At"/>, and its date
/// after the watermark's. As many as were asked for; none where the zone is unknown.
/// </param>
/// <param name="WouldServe">
/// The dates that have passed unserved at <paramref name="At"/>; null where there are none. Those of a paused agency
/// are what a resume catches up or skips.
/// </param>
/// <param name="MarksThrough">
/// A run that is asked for at <paramref name="At"/> marks what is pending, under an active plan, and due by this date,
/// that date included; null when it would mark nothing, because the agency is paused or its zone unknown.
/// </param>
/// <param name="FirstDate">
/// The ledger row that names an installment is that of the greater of its due date and this; null with
/// <paramref name="MarksThrough"/>.
/// </param>
/// <param name="Problem">
/// Why there is no answer, in one sentence: the zone is in no tz database that is used here. Null when all is well.
/// </param>
[GenerateSerializer, Immutable, Alias("actors.CutoffOutlook")]
public sealed record CutoffOutlook(
    [property: Id(0)] AgencyId Agency,
    [property: Id(1)] Instant At,
    [property: Id(2)] string Timezone,
    [property: Id(3)] LocalTime CutoffTime,
    [property: Id(4)] string TzdbVersion,
    [property: Id(5)] bool IsPaused,
    [property: Id(6)] LastServed? LastServed,
    [property: Id(7)] IReadOnlyList<Cutoff> NextCutoffs,
    [property: Id(8)] UnservedDates? WouldServe,
    [property: Id(9)] LocalDate? MarksThrough,
    [property: Id(10)] LocalDate? FirstDate,
    [property: Id(11)] string? Problem);

/// <summary>How far an agency was served.</summary>
/// <param name="Date">The latest local date that has its row in the ledger.</param>
/// <param name="At">The instant of that date's cutoff, under the settings of then.</param>
[GenerateSerializer, Immutable, Alias("actors.LastServed")]
public readonly record struct LastServed([property: Id(0)] LocalDate Date, [property: Id(1)] Instant At);

/// <summary>A row of dates without a gap, both ends included.</summary>
/// <param name="First">The first of them.</param>
/// <param name="Last">The last of them, not before the first.</param>
/// <param name="Count">How many they are, at least 1.</param>
[GenerateSerializer, Immutable, Alias("actors.UnservedDates")]
public readonly record struct UnservedDates(
    [property: Id(0)] LocalDate First, [property: Id(1)] LocalDate Last, [property: Id(2)] int Count);
