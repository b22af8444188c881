using Actors.Api.Requests;
using NodaTime;
using Npgsql;

namespace Actors.Silo.Import;

/// <summary>What the database knows of the optional columns of agencies: the zones, and the defaults.</summary>
internal static class AgencySettings
{
    private static readonly Dictionary<string, string> UsualDefaults = new()
    {
        ["timezone"] = "'Australia/Brisbane'",
        ["overdue_cutoff_time"] = "'17:00:00'",
        ["due_soon_threshold_days"] = "4",
    };

    /// <summary>The default of each optional column, as an SQL expression.</summary>
    public static async Task<IReadOnlyDictionary<string, string>> DefaultsAsync(
        NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            SELECT a.attname::text, pg_get_expr(d.adbin, d.adrelid)
            FROM pg_attribute a
            LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
            WHERE a.attrelid = to_regclass('public.agencies') AND NOT a.attisdropped AND a.attname = ANY ($1)
            """,
            connection)
        {
            Parameters = { new() { Value = UsualDefaults.Keys.ToArray() } },
        };
        var defaults = new Dictionary<string, string>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var name = reader.GetString(0);
            defaults[name] = await reader.IsDBNullAsync(1, cancellationToken)
                ? UsualDefaults[name]
                : reader.GetString(1);
        }

        var missing = UsualDefaults.Keys.FirstOrDefault(name => !defaults.ContainsKey(name));
        return missing is null ? defaults : throw ImportFailure.NoSuchColumn("public.agencies", missing);
    }

    /// <summary>Takes the zones that both NodaTime and this PostgreSQL know: each computes with its own data.</summary>
    public static async Task<CellRule> ZoneRuleAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            "SELECT array_agg(name) FROM pg_timezone_names", connection) { CommandTimeout = 0 };
        var postgres = ((string[])(await command.ExecuteScalarAsync(cancellationToken))!).ToHashSet();
        return ZoneRule(DateTimeZoneProviders.Tzdb, postgres);
    }

    internal static CellRule ZoneRule(IDateTimeZoneProvider tzdb, IReadOnlySet<string> postgres)
    {
        var both = tzdb.Ids.Where(postgres.Contains).ToHashSet();
        return new(both.Contains, zone =>
            tzdb.Ids.Contains(zone) ? "is unknown to this PostgreSQL, whose time zone data may be older"
            : postgres.Contains(zone) ? $"is known to PostgreSQL only, and not to {tzdb.VersionId}, which decides when"
            : NearestName.Of(zone, both) is { } nearest ? $"is unknown; did you mean '{nearest}'?"
            : "is unknown; write an IANA name like 'Australia/Brisbane'");
    }
}
