using Actors.Grains.Cutoffs;
using NodaTime;
using NodaTime.Text;

namespace Actors.Tests.Unit.Cutoffs;

/// <summary>
/// What a wall clock in a zone shows, found by walking through instants and never by mapping a local time, so that it
/// can judge <see cref="CutoffClock"/>, which maps.
/// </summary>
internal static class WallClock
{
    public static DateTimeZone Zone(string name) =>
        ZoneCatalogue.Find(name) ?? throw new ArgumentException($"The tz database has no zone '{name}'.", nameof(name));

    public static CutoffClock Clock(string zone, string cutoffTime) => new(Zone(zone), Time(cutoffTime));

    public static Instant At(string instant) => InstantPattern.ExtendedIso.Parse(instant).Value;

    public static LocalDate Date(string date) => LocalDatePattern.Iso.Parse(date).Value;

    public static LocalTime Time(string time) => LocalTimePattern.GeneralIso.Parse(
        time.Length == "HH:mm".Length ? $"{time}:00" : time).Value;

    /// <summary>The instants, in order, at which the clock shows that local time.</summary>
    public static IReadOnlyList<Instant> Shows(DateTimeZone zone, LocalDateTime local)
    {
        // One candidate for each offset that the zone has within a day and a half of the local time read as UTC.
        var middle = local.InUtc().ToInstant();
        return
        [
            .. Around(zone, middle)
                .Select(stretch => middle - Duration.FromSeconds(stretch.WallOffset.Seconds))
                .Where(candidate => candidate.InZone(zone).LocalDateTime == local)
                .Distinct()
                .Order(),
        ];
    }

    /// <summary>Whether any instant has that local date: looked for minute by minute.</summary>
    public static bool ShowsDate(DateTimeZone zone, LocalDate date)
    {
        var noon = date.At(new LocalTime(12, 0)).InUtc().ToInstant();
        for (var minute = -40 * 60; minute <= 40 * 60; minute++)
            if (noon.Plus(Duration.FromMinutes(minute)).InZone(zone).Date == date) return true;
        return false;
    }

    /// <summary>
    /// The cutoff by the words of the rule: the last instant at which the clock shows that local time; where it never
    /// does, what a clock not yet changed would show.
    /// </summary>
    public static Instant CutoffByTheWords(DateTimeZone zone, LocalDateTime local)
    {
        var shows = Shows(zone, local);
        if (shows.Count > 0) return shows[^1];
        var unchanged = Around(zone, local.InUtc().ToInstant()).First(stretch =>
            stretch.HasEnd && stretch.IsoLocalEnd <= local && stretch.End.InZone(zone).LocalDateTime > local);
        return local.InUtc().ToInstant() - Duration.FromSeconds(unchanged.WallOffset.Seconds);
    }

    private static IEnumerable<NodaTime.TimeZones.ZoneInterval> Around(DateTimeZone zone, Instant middle) =>
        zone.GetZoneIntervals(new Interval(middle - Duration.FromHours(36), middle + Duration.FromHours(36)));
}
