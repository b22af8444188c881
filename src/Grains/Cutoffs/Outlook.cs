using Actors.Grains.Interfaces;
using NodaTime;

namespace Actors.Grains.Cutoffs;

/// <summary>Looks at one agency from any instant, and changes nothing.</summary>
internal static class Outlook
{
    /// <summary>The most cutoffs that one look ahead answers.</summary>
    public const int CutoffsAtMost = 31;

    /// <summary>
    /// NodaTime's calendar ends with the year 9999, and what is asked for lies some weeks after the instant at most.
    /// </summary>
    private static readonly Instant Earliest = Instant.FromUtc(1970, 1, 1, 0, 0);

    private static readonly Instant Latest = Instant.FromUtc(9998, 12, 31, 23, 59, 59);

    /// <param name="state">The agency as the database shows it.</param>
    /// <param name="at">The instant it is about; taken to the nearest within the years 1970 to 9998.</param>
    /// <param name="cutoffs">How many of the next cutoffs to answer; taken to the nearest of 0 to 31.</param>
    public static CutoffOutlook Decide(AgencyState state, Instant at, int cutoffs)
    {
        at = Instant.Max(Earliest, Instant.Min(at, Latest));
        LastServed? served = state is { LastDate: { } date, LastAt: { } lastAt } ? new LastServed(date, lastAt) : null;
        if (ZoneCatalogue.Find(state.Timezone) is not { } zone)
            return Answer([], null, null, new UnknownTimezoneException(state.Timezone).Message);

        var clock = new CutoffClock(zone, state.CutoffTime);
        var passed = clock.LastPassed(at).Date;
        // What a run does that somebody asks for: its first row is the same whatever the limit of its waves.
        var first = AgencyPlan.Decide(state, clock, at, asked: true, datesAtMost: 1).Runs[0];
        UnservedDates? unserved = first.Serves
            ? new UnservedDates(first.Cutoff.Date, passed, Period.DaysBetween(first.Cutoff.Date, passed) + 1)
            : null;
        // A move to the west can leave the watermark ahead of the dates that have passed there.
        var last = state.LastDate is { } lastDate ? LocalDate.Max(lastDate, passed) : passed;
        var next = Enumerable.Range(1, Math.Clamp(cutoffs, 0, CutoffsAtMost))
            .Select(days => clock.On(last.PlusDays(days)));
        return state.IsPaused
            ? Answer([.. next], unserved, null, null)
            : Answer([.. next], unserved, (passed, first.Cutoff.Date), null);

        CutoffOutlook Answer(
            Cutoff[] nextCutoffs, UnservedDates? wouldServe, (LocalDate Through, LocalDate First)? marks,
            string? problem) => new(
            state.Agency, at, state.Timezone, state.CutoffTime, ZoneCatalogue.TzdbVersion, state.IsPaused, served,
            nextCutoffs, wouldServe, marks?.Through, marks?.First, problem);
    }
}
