using Actors.Grains.Cutoffs;
using NodaTime;
using Npgsql;

namespace Actors.Tests.Integration.Rule;

/// <summary>Connections that speak NodaTime's types, and which zones PostgreSQL shares with it.</summary>
internal static class NodaSource
{
    public static NpgsqlDataSource Connect(RuleDatabase database)
    {
        var builder = new NpgsqlDataSourceBuilder(database.OwnerConnectionString);
        builder.UseNodaTime();
        return builder.Build();
    }

    /// <summary>The names that both know, in order.</summary>
    public static async Task<IReadOnlyList<string>> SharedZonesAsync(NpgsqlDataSource source)
    {
        await using var command = source.CreateCommand("SELECT name FROM pg_timezone_names");
        await using var reader = await command.ExecuteReaderAsync();
        var names = new HashSet<string>();
        while (await reader.ReadAsync()) names.Add(reader.GetString(0));
        return [.. ZoneCatalogue.Names.Where(names.Contains).Order(StringComparer.Ordinal)];
    }

    /// <summary>
    /// The shared zones that have the same offset in both at every clock change that NodaTime knows in a span, a second
    /// before it, and every six hours. A change that PostgreSQL alone knew would show in the latter.
    /// </summary>
    public static async Task<IReadOnlyList<string>> AgreedZonesAsync(NpgsqlDataSource source, Interval span)
    {
        var zones = await SharedZonesAsync(source);
        var samples = zones.SelectMany(name => Samples(name, span)).ToList();
        await using var command = source.CreateCommand(
            """
            SELECT DISTINCT s.zone
            FROM unnest(@zones, @epochs, @offsets) AS s (zone, epoch, nodatime)
            WHERE date_part('epoch', to_timestamp(s.epoch) AT TIME ZONE s.zone)::bigint - s.epoch <> s.nodatime
            """);
        command.Parameters.AddWithValue("zones", samples.Select(sample => sample.Zone).ToArray());
        command.Parameters.AddWithValue("epochs", samples.Select(sample => sample.Epoch).ToArray());
        command.Parameters.AddWithValue("offsets", samples.Select(sample => sample.Offset).ToArray());
        await using var reader = await command.ExecuteReaderAsync();
        var different = new HashSet<string>();
        while (await reader.ReadAsync()) different.Add(reader.GetString(0));
        return [.. zones.Where(zone => !different.Contains(zone))];
    }

    private static IEnumerable<(string Zone, long Epoch, long Offset)> Samples(string name, Interval span)
    {
        foreach (var stretch in ZoneCatalogue.Find(name)!.GetZoneIntervals(span))
        {
            var start = stretch.HasStart ? Instant.Max(stretch.Start, span.Start) : span.Start;
            var end = stretch.HasEnd ? Instant.Min(stretch.End, span.End) : span.End;
            for (var at = start; at < end; at += Duration.FromHours(6)) yield return Sample(at);
            yield return Sample(end - Duration.FromSeconds(1));

            (string, long, long) Sample(Instant at) => (name, at.ToUnixTimeSeconds(), stretch.WallOffset.Seconds);
        }
    }
}
