using Actors.Api.Access;
using Actors.Api.Requests;
using NodaTime.TimeZones;
using Npgsql;

namespace Actors.Api.Agencies;

/// <summary>
/// The zones that agencies may use: the rows of `supported_timezones`, as far as NodaTime knows them.
/// </summary>
internal sealed class SupportedZones
{
    /// <summary>How many zones one sentence lists.</summary>
    private const int Listed = 20;

    private readonly IReadOnlyList<string> _names;

    internal SupportedZones(IReadOnlyList<string> names) => _names = names;

    public static async Task<SupportedZones> ReadAsync(CallerSession session, CancellationToken cancellationToken) =>
        new(await session.ReadAsync(
            "SELECT name FROM supported_timezones ORDER BY name", Name, cancellationToken));

    /// <summary>What is wrong with a zone that an agency is to have, in one sentence; null where nothing is.</summary>
    public string? Advice(string zone)
    {
        // NodaTime makes up zones for names such as UTC+10, which PostgreSQL reads the other way round: only names of
        // the tz database itself mean the same to both.
        var isKnown = TzdbDateTimeZoneSource.Default.CanonicalIdMap.ContainsKey(zone);
        if (_names.Contains(zone))
        {
            return isKnown
                ? null
                : $"The zone {zone} is supported in name only: the tz database that decides when has no such zone.";
        }

        var shown = PlainText.Shown(zone);
        if (isKnown)
        {
            return $"The zone {shown} is not supported here yet; an administrator of the database adds a row to "
                + "supported_timezones.";
        }

        return NearestName.Of(zone, _names) is { } meant
            ? $"There is no supported zone {shown}; did you mean {meant}?"
            : $"There is no supported zone {shown}; supported are {string.Join(", ", _names.Take(Listed))}"
                + (_names.Count > Listed ? " …" : ".");
    }

    /// <summary>What is wrong with a zone that a list is filtered by; null where agencies may have it.</summary>
    public string? FilterAdvice(string zone) => _names.Contains(zone)
        ? null
        : $"No agency can be in the zone {PlainText.Shown(zone)}"
            + (NearestName.Of(zone, _names) is { } meant ? $"; did you mean {meant}?" : ".");

    private static string Name(NpgsqlDataReader reader) => reader.GetString(0);
}
