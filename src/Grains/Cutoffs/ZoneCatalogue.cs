using NodaTime;
using NodaTime.TimeZones;

namespace Actors.Grains.Cutoffs;

/// <summary>
/// The one place that turns a zone's name into a zone. It knows the names of the IANA tz database that NodaTime
/// carries, aliases such as Europe/Kiev included, in their exact spelling, and nothing else.
/// </summary>
public static class ZoneCatalogue
{
    private static readonly TzdbDateTimeZoneSource Source = TzdbDateTimeZoneSource.Default;

    /// <summary>The release of the tz database that decides, such as 2026f.</summary>
    public static string TzdbVersion => Source.TzdbVersion;

    /// <summary>Every name that <see cref="Find"/> knows.</summary>
    public static IEnumerable<string> Names => Source.CanonicalIdMap.Keys;

    /// <summary>The zone of that name, or null where the tz database has no such name.</summary>
    public static DateTimeZone? Find(string name)
    {
        // NodaTime's provider also makes up a zone for names such as UTC+10, which is ten hours ahead there. PostgreSQL
        // reads the same name as ten hours behind: only names of the database mean the same to both.
        return Source.CanonicalIdMap.ContainsKey(name) ? DateTimeZoneProviders.Tzdb[name] : null;
    }
}

/// <summary>An agency's zone is not in the TZDB that decides; no offset is guessed.</summary>
internal sealed class UnknownTimezoneException(string timezone) : Exception(
    $"timezone '{timezone}' is unknown to TZDB {ZoneCatalogue.TzdbVersion}; correct agencies.timezone");
