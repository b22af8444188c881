using NodaTime;
using Npgsql;

namespace Actors.Silo.Migrations;

/// <summary>A time zone that agencies use, and how many do.</summary>
public sealed record ZoneInUse(string Name, long Agencies)
{
    /// <summary>
    /// The zones of <c>agencies</c> that NodaTime does not know, by name; empty where the table has no zones yet.
    /// No cutoff can be told for them, so their agencies are set aside.
    /// </summary>
    public static async Task<IReadOnlyList<ZoneInUse>> UnknownToNodaTimeAsync(
        NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        await using var column = database.CreateCommand(
            """
            SELECT EXISTS (
              SELECT FROM information_schema.columns
              WHERE table_schema = 'public' AND table_name = 'agencies' AND column_name = 'timezone')
            """);
        if (!(bool)(await column.ExecuteScalarAsync(cancellationToken))!) return [];

        await using var command = database.CreateCommand(
            "SELECT timezone, count(*) FROM public.agencies GROUP BY timezone ORDER BY timezone");
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var unknown = new List<ZoneInUse>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var zone = new ZoneInUse(reader.GetString(0), reader.GetInt64(1));
            if (DateTimeZoneProviders.Tzdb.GetZoneOrNull(zone.Name) is null) unknown.Add(zone);
        }

        return unknown;
    }
}
