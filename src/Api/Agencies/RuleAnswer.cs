using Actors.Api.Answers;
using Actors.Grains.Interfaces;
using NodaTime;

namespace Actors.Api.Agencies;

/// <summary>The values of the rule for one agency at one instant.</summary>
/// <param name="At">The instant.</param>
/// <param name="Timezone">The agency's IANA zone.</param>
/// <param name="OverdueCutoffTime">The local time of day at which a date closes.</param>
/// <param name="TzdbVersion">The release of the tz database that decides.</param>
/// <param name="IsPaused">Its dates pass unserved until it is resumed.</param>
/// <param name="LastServed">The latest local date that was served; null for an agency that never was.</param>
/// <param name="MarksThrough">
/// A run at that instant marks what is pending, under an active plan, and due by this date, the date included; null
/// where it would mark nothing.
/// </param>
/// <param name="FirstDate">
/// What is marked stands under the later of its due date and this date; null with <paramref name="MarksThrough"/>.
/// </param>
/// <param name="NextCutoff">The next date that closes; while it is paused, the one that would.</param>
/// <param name="Problem">Why the rule has no answer, in one sentence; null where it has.</param>
public sealed record RuleAnswer(
    WallTime At,
    string Timezone,
    LocalTime OverdueCutoffTime,
    string TzdbVersion,
    bool IsPaused,
    LocalDate? LastServed,
    LocalDate? MarksThrough,
    LocalDate? FirstDate,
    CutoffTime? NextCutoff,
    string? Problem)
{
    internal static RuleAnswer From(CutoffOutlook outlook) => new(
        WallTime.At(outlook.At, outlook.Timezone),
        outlook.Timezone,
        outlook.CutoffTime,
        outlook.TzdbVersion,
        outlook.IsPaused,
        outlook.LastServed?.Date,
        outlook.MarksThrough,
        outlook.FirstDate,
        CutoffTime.Of(outlook) is [var next, ..] ? next : null,
        outlook.Problem);
}
