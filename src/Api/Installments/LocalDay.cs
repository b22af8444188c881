using NodaTime;

namespace Actors.Api.Installments;

/// <summary>
/// The day that it is in a zone at some instant, and how far it has got: which times of it have been its agencies'
/// cutoffs by now. On most days those are the times that its clocks have shown. Where a clock change skips times, they
/// are shifted forward by the gap; where it repeats some, the later counts.
/// </summary>
/// <param name="Today">The local date.</param>
/// <param name="PassedThrough">Later times have not passed; null where none has.</param>
/// <param name="WaitsAfter">Of the times before, those behind this one have not passed; null where all have.</param>
/// <param name="WaitsBefore">And those before this one: the end of the gap that they lie in.</param>
internal sealed record LocalDay(
    LocalDate Today, LocalTime? PassedThrough, LocalTime? WaitsAfter, LocalTime? WaitsBefore)
{
    private static readonly Period Least = Period.FromTicks(NodaConstants.TicksPerMillisecond / 1_000);

    /// <summary>The day of a zone at an instant.</summary>
    public static LocalDay At(Instant now, DateTimeZone zone)
    {
        var interval = zone.GetZoneInterval(now);
        var clock = now.InZone(zone).LocalDateTime;
        var passed = clock;
        if (interval.HasEnd && zone.GetZoneInterval(interval.End).WallOffset is var next && next < interval.WallOffset)
        {
            // From here on every time comes again, so none has passed.
            var repeated = interval.End.WithOffset(next).LocalDateTime;
            if (repeated <= clock) passed = repeated - Least;
        }

        var day = new LocalDay(clock.Date, passed.Date < clock.Date ? null : passed.TimeOfDay, null, null);
        if (!interval.HasStart) return day;
        var before = zone.GetZoneInterval(interval.Start - Duration.Epsilon).WallOffset;
        var gap = interval.WallOffset.Ticks - before.Ticks;
        var end = interval.Start.WithOffset(interval.WallOffset).LocalDateTime;
        var waits = clock.PlusTicks(-gap);
        if (gap <= 0 || waits >= end || end.Date < clock.Date) return day;
        // What was skipped is shown by now where it is shifted to; behind that it waits for its turn.
        return day with
        {
            WaitsAfter = waits.Date < clock.Date ? null : waits.TimeOfDay,
            WaitsBefore = end.TimeOfDay,
        };
    }

    /// <summary>
    /// Whether today's cutoff at this time has passed; <see cref="LocalDays.IsOpen"/> says the opposite in SQL.
    /// </summary>
    public bool HasPassed(LocalTime cutoff) =>
        cutoff <= PassedThrough
        && !((WaitsAfter is null || cutoff > WaitsAfter) && cutoff < WaitsBefore);
}
