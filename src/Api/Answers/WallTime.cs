using NodaTime;

namespace Actors.Api.Answers;

/// <summary>An instant as a person of the agency reads it off the wall, beside the instant itself.</summary>
/// <param name="Instant">In UTC.</param>
/// <param name="Local">The same moment on the agency's wall clock, such as `2026-08-09T17:00:00`.</param>
/// <param name="Offset">What that clock is ahead of UTC, such as `+10`.</param>
/// <param name="Timezone">The agency's IANA zone.</param>
public sealed record WallTime(Instant Instant, LocalDateTime Local, Offset Offset, string Timezone)
{
    /// <summary>
    /// Reads an instant off the wall. Where the tz database has no such zone it is read in UTC, and says so: nothing
    /// is guessed.
    /// </summary>
    public static WallTime At(Instant instant, string timezone)
    {
        var zone = DateTimeZoneProviders.Tzdb.GetZoneOrNull(timezone);
        var local = instant.InZone(zone ?? DateTimeZone.Utc);
        return new WallTime(instant, local.LocalDateTime, local.Offset, zone is null ? "UTC" : timezone);
    }

    /// <summary>The same for an instant that may be unknown.</summary>
    public static WallTime? At(Instant? instant, string timezone) =>
        instant is { } known ? At(known, timezone) : null;
}
