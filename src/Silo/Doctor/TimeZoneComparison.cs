using Actors.Grains.Cutoffs;
using NodaTime;
using Npgsql;

namespace Actors.Silo.Doctor;

/// <summary>
/// Compares the UTC offsets that NodaTime's tz database and PostgreSQL's give to the zones in use. Both are updated
/// apart from each other, and where they disagree, what SQL says about a local time is not when the cutoff is.
/// </summary>
public static class TimeZoneComparison
{
    /// <summary>How far ahead is looked: a year and a month, so that each yearly rule is met.</summary>
    public static readonly Duration Span = Duration.FromDays(400);

    /// <summary>
    /// Offsets are compared at every full quarter of an hour. No zone is known to change its clock off that grid from
    /// 2024 on (Casey's was the last); such a change would be told up to a quarter of an hour late.
    /// </summary>
    private const long StepSeconds = 15 * 60;

    private const string KnownZonesSql =
        """
        SELECT z.name, EXISTS (SELECT FROM pg_timezone_abbrevs a WHERE a.abbrev = upper(z.name))
        FROM pg_timezone_names z
        WHERE z.name = ANY (@zones)
        """;

    /// <summary>The stretches are NodaTime's: in each, one zone has one offset.</summary>
    private const string DifferencesSql =
        """
        WITH stretches AS (
          SELECT * FROM unnest(@zones, @starts, @ends, @offsets) AS s(zone, starts, ends, nodatime)
        ),
        compared AS (
          SELECT s.zone, s.nodatime, at.epoch,
            date_part('epoch', to_timestamp(at.epoch) AT TIME ZONE s.zone)::bigint - at.epoch AS postgres
          FROM stretches s CROSS JOIN LATERAL generate_series(s.starts, s.ends - 1, @step) AS at(epoch)
        ),
        different AS (
          SELECT zone, min(epoch) AS first, max(epoch) AS last, count(*) AS steps
          FROM compared WHERE postgres <> nodatime GROUP BY zone
        )
        SELECT d.zone, d.first, d.last, d.steps, c.nodatime::int, c.postgres::int
        FROM different d JOIN compared c ON c.zone = d.zone AND c.epoch = d.first
        ORDER BY d.first, d.zone
        """;

    /// <param name="database">The database whose PostgreSQL is asked. Nothing in it is read or changed.</param>
    /// <param name="zones">The zone names in use, in any order; an unknown one is reported, not thrown.</param>
    /// <param name="from">
    /// Where the comparison begins, rounded down to a quarter of an hour; it ends <see cref="Span"/> later.
    /// </param>
    /// <exception cref="NpgsqlException">The database does not answer.</exception>
    public static async Task<TimeZoneReport> CompareAsync(
        NpgsqlDataSource database, IEnumerable<string> zones, Instant from, CancellationToken cancellationToken)
    {
        var names = zones.Distinct().Order(StringComparer.Ordinal).ToArray();
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var knownToPostgres = await KnownZonesAsync(connection, names, cancellationToken);
        string[] compared =
            [.. names.Where(name => knownToPostgres.ContainsKey(name) && ZoneCatalogue.Find(name) is not null)];
        var start = Instant.FromUnixTimeSeconds(from.ToUnixTimeSeconds() / StepSeconds * StepSeconds);
        var span = new Interval(start, start + Span);
        return new TimeZoneReport(
            ZoneCatalogue.TzdbVersion,
            connection.ServerVersion,
            span.Start,
            span.End,
            compared,
            await DifferencesAsync(connection, compared, span, knownToPostgres, cancellationToken),
            [.. names.Where(name => ZoneCatalogue.Find(name) is null)],
            [.. names.Where(name => !knownToPostgres.ContainsKey(name))]);
    }

    /// <summary>The zones that PostgreSQL knows, each with whether AT TIME ZONE reads it as an abbreviation.</summary>
    private static async Task<Dictionary<string, bool>> KnownZonesAsync(
        NpgsqlConnection connection, string[] names, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(KnownZonesSql, connection);
        command.Parameters.AddWithValue("zones", names);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var known = new Dictionary<string, bool>();
        while (await reader.ReadAsync(cancellationToken)) known.Add(reader.GetString(0), reader.GetBoolean(1));
        return known;
    }

    private static async Task<IReadOnlyList<TimeZoneDifference>> DifferencesAsync(
        NpgsqlConnection connection,
        string[] zones,
        Interval span,
        Dictionary<string, bool> readAsAbbreviation,
        CancellationToken cancellationToken)
    {
        var stretches = zones
            .SelectMany(name => ZoneCatalogue.Find(name)!.GetZoneIntervals(span).Select(stretch => (name, stretch)))
            .ToList();
        await using var command = new NpgsqlCommand(DifferencesSql, connection);
        // Instants go as seconds, so that this works on a data source with or without the NodaTime plugin.
        command.Parameters.AddWithValue("zones", stretches.Select(s => s.name).ToArray());
        command.Parameters.AddWithValue("starts", stretches.Select(s => StartIn(span, s.stretch)).ToArray());
        command.Parameters.AddWithValue("ends", stretches.Select(s => EndIn(span, s.stretch)).ToArray());
        command.Parameters.AddWithValue("offsets", stretches.Select(s => (long)s.stretch.WallOffset.Seconds).ToArray());
        command.Parameters.AddWithValue("step", StepSeconds);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var differences = new List<TimeZoneDifference>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var zone = reader.GetString(0);
            differences.Add(new TimeZoneDifference(
                zone,
                Instant.FromUnixTimeSeconds(reader.GetInt64(1)),
                Instant.FromUnixTimeSeconds(reader.GetInt64(2) + StepSeconds),
                Duration.FromSeconds(reader.GetInt64(3) * StepSeconds),
                Offset.FromSeconds(reader.GetInt32(4)),
                Offset.FromSeconds(reader.GetInt32(5)),
                readAsAbbreviation[zone]));
        }

        return differences;
    }

    private static long StartIn(Interval span, NodaTime.TimeZones.ZoneInterval stretch) =>
        stretch.HasStart && stretch.Start > span.Start
            ? stretch.Start.ToUnixTimeSeconds()
            : span.Start.ToUnixTimeSeconds();

    private static long EndIn(Interval span, NodaTime.TimeZones.ZoneInterval stretch) =>
        stretch.HasEnd && stretch.End < span.End ? stretch.End.ToUnixTimeSeconds() : span.End.ToUnixTimeSeconds();
}

/// <summary>What a comparison found.</summary>
/// <param name="TzdbVersion">NodaTime's release of the tz database, such as 2026f: the one that decides.</param>
/// <param name="PostgresVersion">
/// The server's version, such as 15.18. PostgreSQL does not say which tz release it carries (its own, or the system's),
/// so this is all that can be known of it.
/// </param>
/// <param name="From">Where the comparison begins, included.</param>
/// <param name="Until">Where it ends, excluded.</param>
/// <param name="Compared">The zones that both know.</param>
/// <param name="Differences">One for each compared zone with any differing offset, the soonest first.</param>
/// <param name="UnknownToNodaTime">Zones that no cutoff can be computed for.</param>
/// <param name="UnknownToPostgres">Zones that SQL cannot use.</param>
public sealed record TimeZoneReport(
    string TzdbVersion,
    string PostgresVersion,
    Instant From,
    Instant Until,
    IReadOnlyList<string> Compared,
    IReadOnlyList<TimeZoneDifference> Differences,
    IReadOnlyList<string> UnknownToNodaTime,
    IReadOnlyList<string> UnknownToPostgres)
{
    /// <summary>Whether both know every zone and agree on all of them.</summary>
    public bool Agrees => Differences.Count + UnknownToNodaTime.Count + UnknownToPostgres.Count == 0;
}

/// <summary>A zone whose offsets differ.</summary>
/// <param name="Zone">Its name.</param>
/// <param name="First">The first instant at which they differ.</param>
/// <param name="Until">The end of the last stretch in which they differ, excluded.</param>
/// <param name="Total">How long they differ, all stretches together.</param>
/// <param name="NodaTime">NodaTime's offset at <paramref name="First"/>.</param>
/// <param name="Postgres">PostgreSQL's offset at <paramref name="First"/>.</param>
/// <param name="ReadAsAbbreviation">
/// The name is also one of PostgreSQL's abbreviations (such as CET), which AT TIME ZONE prefers and takes for a fixed
/// offset: then no newer tz release helps, only another name of the zone.
/// </param>
public sealed record TimeZoneDifference(
    string Zone,
    Instant First,
    Instant Until,
    Duration Total,
    Offset NodaTime,
    Offset Postgres,
    bool ReadAsAbbreviation);
