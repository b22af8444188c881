using Actors.Api.Access;
using Actors.Api.Answers;
using NodaTime;
using NodaTime.TimeZones;
using NpgsqlTypes;

namespace Actors.Api.Installments;

/// <summary>
/// Which day it is in each zone that agencies may use: the database says which instant it is, NodaTime which date that
/// is where. SQL gets both as two arrays and joins them to agencies. A zone that the tz database does not know has no
/// today; what depends on it is null, and nothing there is due soon.
/// </summary>
internal sealed record LocalDays(IReadOnlyList<string> Zones, IReadOnlyList<LocalDate> Todays)
{
    /// <summary>What joins the day of an agency as `z`; null for an agency of an unknown zone.</summary>
    public const string Join =
        "LEFT JOIN unnest(@zones, @todays) AS z (zone, today) ON z.zone = a.timezone";

    /// <summary>The earliest date that is today anywhere; null where no zone is known.</summary>
    public LocalDate? First => Todays.Count == 0 ? null : Todays.Min();

    /// <summary>The latest date that is today anywhere, up to two days after the earliest.</summary>
    public LocalDate? Last => Todays.Count == 0 ? null : Todays.Max();

    /// <summary>Reads the zones and the clock.</summary>
    public static async Task<LocalDays> ReadAsync(CallerSession session, CancellationToken cancellationToken)
    {
        var rows = await session.ReadAsync(
            "SELECT clock_timestamp(), ARRAY(SELECT name FROM supported_timezones)",
            reader => At(reader.GetFieldValue<Instant>(0), reader.GetFieldValue<string[]>(1)),
            cancellationToken);
        return rows[0];
    }

    /// <summary>The days at an instant, in those of the zones that are known.</summary>
    public static LocalDays At(Instant now, IEnumerable<string> zones)
    {
        var known = zones.Where(TzdbDateTimeZoneSource.Default.CanonicalIdMap.ContainsKey).ToArray();
        return new LocalDays(known, [.. known.Select(zone => now.InZone(DateTimeZoneProviders.Tzdb[zone]).Date)]);
    }

    /// <summary>Gives a statement the parameters of <see cref="Join"/>.</summary>
    public void AddTo(ListSql sql)
    {
        sql.With("zones", NpgsqlDbType.Array | NpgsqlDbType.Text, Zones.ToArray());
        sql.With("todays", NpgsqlDbType.Array | NpgsqlDbType.Date, Todays.ToArray());
    }
}
