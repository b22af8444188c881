using Actors.Benchmarks.Databases;
using NodaTime;

namespace Actors.Benchmarks.Arm;

/// <summary>When a silo that has started serves cutoffs within a second, seen in the ledger alone.</summary>
internal static class Takeover
{
    private const string Served =
        """
        SELECT t.at, pg_xact_commit_timestamp(r.xmin) AS committed_at
        FROM cutoffs_in_turn t
        JOIN agency_runs r ON r.agency_id = t.agency_id AND r.cutoff_at = t.at
          AND r.serves_cutoff AND r.status = 'success'
        """;

    /// <summary>The commit of the first cutoff from which on none was late.</summary>
    private const string First =
        $"""
        WITH served AS ({Served})
        SELECT coalesce(min(committed_at), 'infinity') FROM served WHERE at > coalesce(
          (SELECT max(at) FROM served WHERE committed_at > at + interval '1 s'), '-infinity')
        """;

    /// <summary>Those that were, in words.</summary>
    private const string Late =
        $"""
        WITH served AS ({Served})
        SELECT format('%s of %s cutoffs later than 1 s, the latest %s s', count(*) FILTER (WHERE late > 1), count(*),
          round(max(late), 1))
        FROM served, LATERAL (SELECT extract(epoch FROM committed_at - at) AS late) AS l
        """;

    public static async Task<Instant> AwaitAsync(BenchmarkDatabase database, Action<string> report)
    {
        await database.UntilAsync(
            "all cutoffs were served", every: TimeSpan.FromMilliseconds(500),
            $"SELECT (SELECT count(*) FROM ({Served}) AS served) = (SELECT count(*) FROM cutoffs_in_turn)");
        report($"   {await database.ReadAsync<string>(Late)}");
        var first = await database.ReadAsync<Instant>(First);
        return first < Instant.MaxValue
            ? first
            : throw new InvalidOperationException("The last cutoff was late; give --seconds more.");
    }
}
