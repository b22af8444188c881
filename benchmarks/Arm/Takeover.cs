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

    /// <summary>
    /// The commit of the first cutoff from which on no more than 1 in 100 was late, or one where fewer than 100 are
    /// left: a tick may be lost where the silo reads its reminders anew.
    /// </summary>
    private const string First =
        $"""
        WITH served AS ({Served})
        SELECT coalesce(min(committed_at), 'infinity') FROM (
          SELECT committed_at, committed_at > at + interval '1 s' AS is_late,
                 count(*) FILTER (WHERE committed_at > at + interval '1 s') OVER from_here AS late_from_here,
                 count(*) OVER from_here AS all_from_here
          FROM served
          WINDOW from_here AS (ORDER BY at ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)) AS s
        WHERE NOT is_late AND late_from_here <= greatest(1, all_from_here / 100)
        """;

    private const string Latest =
        $"""
        WITH served AS ({Served})
        SELECT extract(epoch FROM max(committed_at - at))::double precision FROM served
        """;

    /// <summary>Answers when it had taken over, and how late the latest cutoff since its start was served.</summary>
    public static async Task<(Instant First, Duration Latest)> AwaitAsync(BenchmarkDatabase database)
    {
        await database.UntilAsync(
            "all cutoffs were served", every: TimeSpan.FromMilliseconds(500),
            $"SELECT (SELECT count(*) FROM ({Served}) AS served) = (SELECT count(*) FROM cutoffs_in_turn)");
        var first = await database.ReadAsync<Instant>(First);
        if (first == Instant.MaxValue)
            throw new InvalidOperationException("The last cutoffs were late; give --seconds more.");
        return (first, Duration.FromSeconds(await database.ReadAsync<double>(Latest)));
    }
}
