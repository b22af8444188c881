using NodaTime;

namespace Actors.Tests.Simulation.Oracle;

/// <summary>
/// When a cutoff is, once more and written another way: it looks through the offsets that a zone has around a date, and
/// asks which of them show the cutoff time. It shares nothing with the production code but the tz database.
/// </summary>
internal sealed class RuleByHand
{
    private readonly DateTimeZone _zone;
    private readonly LocalTime _time;

    private RuleByHand(DateTimeZone zone, LocalTime time) => (_zone, _time) = (zone, time);

    /// <summary>Null where the tz database has no such zone.</summary>
    public static RuleByHand? Of(string zone, LocalTime time) =>
        DateTimeZoneProviders.Tzdb.Ids.Contains(zone) && DateTimeZoneProviders.Tzdb.GetZoneOrNull(zone) is { } found
            ? new RuleByHand(found, time)
            : null;

    /// <summary>
    /// The latest instant at which the wall clock shows the cutoff time on this date; where it never does, the time is
    /// read by the offset from before the gap. And the word for which of these it was.
    /// </summary>
    public (Instant At, string Word) On(LocalDate date)
    {
        var asIfUtc = date.At(_time).InUtc().ToInstant();
        var periods = _zone.GetZoneIntervals(
            new Interval(asIfUtc - Duration.FromDays(2), asIfUtc + Duration.FromDays(2))).ToArray();
        var shown = new List<Instant>();
        foreach (var period in periods)
        {
            var instant = asIfUtc - period.WallOffset.ToTimeSpanDuration();
            if (period.Contains(instant)) shown.Add(instant);
        }

        if (shown.Count > 0) return (shown.Max(), shown.Count == 1 ? "once" : "later_of_two");
        for (var i = 1; i < periods.Length; i++)
        {
            var gapStarts = periods[i].Start + periods[i - 1].WallOffset.ToTimeSpanDuration();
            var gapEnds = periods[i].Start + periods[i].WallOffset.ToTimeSpanDuration();
            if (asIfUtc < gapStarts || asIfUtc >= gapEnds) continue;
            var midnight = date.AtMidnight().InUtc().ToInstant();
            var isWholeDate = gapStarts <= midnight && gapEnds >= midnight + Duration.FromDays(1);
            return (asIfUtc - periods[i - 1].WallOffset.ToTimeSpanDuration(), isWholeDate ? "date_absent" : "shifted");
        }

        throw new InvalidOperationException($"{date} {_time} is neither shown nor skipped in {_zone}.");
    }

    /// <summary>The latest date whose cutoff is not after an instant.</summary>
    public LocalDate LastPassed(Instant now)
    {
        var date = now.InUtc().Date.PlusDays(2);
        while (On(date).At > now) date = date.PlusDays(-1);
        return date;
    }
}

internal static class OffsetDuration
{
    public static Duration ToTimeSpanDuration(this Offset offset) => Duration.FromTicks(offset.Ticks);
}
