using Actors.Api.Access;
using Actors.Api.Answers;
using NodaTime;
using NodaTime.TimeZones;
using NpgsqlTypes;

namespace Actors.Api.Installments;

/// <summary>
/// Which day it is in each zone that agencies may use, and how far it has got: the database says which instant it is,
/// NodaTime what that is where. SQL gets both as arrays and joins them to agencies. A zone that the tz database does
/// not know has no today; what depends on it is null, and nothing there is due soon.
/// </summary>
internal sealed record LocalDays(IReadOnlyList<string> Zones, IReadOnlyList<LocalDay> Days)
{
    /// <summary>What joins the day of an agency as `z`; null for an agency of an unknown zone.</summary>
    public const string Join =
        """
        LEFT JOIN unnest(@zones, @todays, @passed_through, @waits_after, @waits_before)
          AS z (zone, today, passed_through, waits_after, waits_before) ON z.zone = a.timezone
        """;

    /// <summary>
    /// Whether the agency `a` has not had today's cutoff yet; <see cref="LocalDay.HasPassed"/> says the opposite.
    /// </summary>
    public const string IsOpen =
        """
        (z.passed_through IS NULL OR a.overdue_cutoff_time > z.passed_through
          OR (a.overdue_cutoff_time < z.waits_before
            AND (z.waits_after IS NULL OR a.overdue_cutoff_time > z.waits_after)))
        """;

    /// <summary>The earliest date that is today anywhere; null where no zone is known.</summary>
    public LocalDate? First => Days.Count == 0 ? null : Days.Min(day => day.Today);

    /// <summary>The latest date that is today anywhere, up to two days after the earliest.</summary>
    public LocalDate? Last => Days.Count == 0 ? null : Days.Max(day => day.Today);

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
        return new LocalDays(known, [.. known.Select(zone => LocalDay.At(now, DateTimeZoneProviders.Tzdb[zone]))]);
    }

    /// <summary>Gives a statement the parameters of <see cref="Join"/>.</summary>
    public void AddTo(ListSql sql)
    {
        sql.With("zones", NpgsqlDbType.Array | NpgsqlDbType.Text, Zones.ToArray());
        sql.With("todays", NpgsqlDbType.Array | NpgsqlDbType.Date, Days.Select(day => day.Today).ToArray());
        sql.With("passed_through", Times, Days.Select(day => day.PassedThrough).ToArray());
        sql.With("waits_after", Times, Days.Select(day => day.WaitsAfter).ToArray());
        sql.With("waits_before", Times, Days.Select(day => day.WaitsBefore).ToArray());
    }

    private const NpgsqlDbType Times = NpgsqlDbType.Array | NpgsqlDbType.Time;
}
