using Actors.Grains.Interfaces;
using NodaTime;
using NodaTime.TimeZones;

namespace Actors.Grains.Cutoffs;

/// <summary>
/// The rule of when: turns local dates into cutoff instants for one zone and one cutoff time, and back.
/// There is exactly one cutoff for each local date, and the order of dates is the order of instants (two are equal
/// only where a date does not exist). A cutoff has passed from its instant on, the instant included.
/// It holds no clock: now is always an argument.
/// </summary>
public sealed class CutoffClock(DateTimeZone zone, LocalTime cutoffTime)
{
    /// <summary>
    /// A skipped local time is shifted forward by the gap; of two, the later counts, so that the payer has the doubt.
    /// NodaTime's lenient resolver takes the earlier of two, and so is not ours.
    /// </summary>
    private static readonly ZoneLocalMappingResolver LaterOrShifted =
        Resolvers.CreateMappingResolver(Resolvers.ReturnLater, Resolvers.ReturnForwardShifted);

    /// <summary>The cutoff of a local date, whether or not that date exists in the zone.</summary>
    public Cutoff On(LocalDate date)
    {
        var mapping = zone.MapLocal(date + cutoffTime);
        return new Cutoff(date, LaterOrShifted(mapping).ToInstant(), ResolutionOf(date, mapping));
    }

    /// <summary>The latest local date whose cutoff has passed: L(now). Its instant is at or before now.</summary>
    public Cutoff LastPassed(Instant now)
    {
        // The cutoff of the day after tomorrow is always ahead: no clock change moves a local date by more than a day.
        // For the same reason this ends within three steps back.
        var cutoff = On(now.InZone(zone).Date.PlusDays(1));
        while (cutoff.At > now) cutoff = On(cutoff.Date.PlusDays(-1));
        return cutoff;
    }

    /// <summary>The first cutoff whose instant is after now: that of the date after the last passed one.</summary>
    public Cutoff NextAfter(Instant now) => On(LastPassed(now).Date.PlusDays(1));

    private static CutoffResolution ResolutionOf(LocalDate date, ZoneLocalMapping mapping) => mapping.Count switch
    {
        1 => CutoffResolution.Once,
        2 => CutoffResolution.LaterOfTwo,
        _ when SkipsAllOf(date, mapping) => CutoffResolution.DateAbsent,
        _ => CutoffResolution.Shifted,
    };

    /// <summary>Whether the gap starts by the date's midnight and ends after the whole date.</summary>
    private static bool SkipsAllOf(LocalDate date, ZoneLocalMapping gap) =>
        gap.EarlyInterval.IsoLocalEnd <= date.AtMidnight() && gap.LateInterval.IsoLocalStart.Date > date;
}
