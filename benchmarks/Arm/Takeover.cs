using Actors.Benchmarks.Databases;
using NodaTime;

namespace Actors.Benchmarks.Arm;

/// <summary>When a silo that has started serves cutoffs by their reminders, seen in the ledger alone.</summary>
internal static class Takeover
{
    private const string Served =
        """
        SELECT t.at, r.trigger = 'reminder' AS by_reminder, pg_xact_commit_timestamp(r.xmin) AS committed_at
        FROM cutoffs_in_turn t
        JOIN agency_runs r ON r.agency_id = t.agency_id AND r.cutoff_at = t.at
          AND r.serves_cutoff AND r.status = 'success'
        """;

    /// <summary>The commit of the first cutoff from which on none was left to the sweep.</summary>
    private const string First =
        $"""
        WITH served AS ({Served})
        SELECT coalesce(min(committed_at), 'infinity') FROM served WHERE at > coalesce(
          (SELECT max(at) FROM served WHERE NOT by_reminder), '-infinity')
        """;

    public static async Task<Instant> AwaitAsync(BenchmarkDatabase database)
    {
        await database.UntilAsync(
            "all cutoffs were served", every: TimeSpan.FromMilliseconds(500),
            $"SELECT (SELECT count(*) FROM ({Served}) AS served) = (SELECT count(*) FROM cutoffs_in_turn)");
        var first = await database.ReadAsync<Instant>(First);
        return first < Instant.MaxValue
            ? first
            : throw new InvalidOperationException("The last cutoff was left to the sweep; give --seconds more.");
    }
}
