using Actors.Benchmarks.Databases;
using NodaTime;

namespace Actors.Benchmarks.Arm;

/// <summary>When a silo that has started serves cutoffs by their reminders, seen in the ledger alone.</summary>
internal static class Takeover
{
    /// <summary>So many cutoffs, one after the other, show that it goes on.</summary>
    private const int Enough = 5;

    /// <summary>
    /// The commit of the first cutoff behind which none was left out, once there are some. What the sweep has served
    /// counts as left out, as does what nobody has yet.
    /// </summary>
    private const string First =
        """
        WITH served AS (
          SELECT t.at, r.trigger = 'reminder' AS by_reminder, pg_xact_commit_timestamp(r.xmin) AS committed_at
          FROM cutoffs_in_turn t
          LEFT JOIN agency_runs r ON r.agency_id = t.agency_id AND r.cutoff_at = t.at
            AND r.serves_cutoff AND r.status = 'success'
        ), latest AS (
          SELECT max(at) AS at FROM served WHERE by_reminder
        ), behind AS (
          SELECT s.committed_at FROM served s, latest
          WHERE s.at <= latest.at AND s.at > coalesce(
            (SELECT max(o.at) FROM served o WHERE o.by_reminder IS NOT TRUE AND o.at < latest.at), '-infinity')
        )
        SELECT CASE WHEN count(*) >= @enough THEN min(committed_at) END FROM behind
        """;

    public static async Task<Instant> AwaitAsync(BenchmarkDatabase database)
    {
        await database.UntilAsync(
            "cutoffs were served by their reminders; give --seconds more", every: TimeSpan.FromMilliseconds(100),
            $"SELECT ({First}) IS NOT NULL", ("enough", (long)Enough));
        return await database.ReadAsync<Instant>(First, ("enough", (long)Enough));
    }
}
