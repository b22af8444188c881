using NodaTime;

namespace Actors.Benchmarks.Databases;

/// <summary>What is there when a measurement is over, and when it is to begin.</summary>
internal static class Marked
{
    /// <summary>How many installments are overdue; none is before a run.</summary>
    public static Task<long> CountAsync(BenchmarkDatabase database) =>
        database.ReadAsync<long>("SELECT count(*) FROM installments WHERE status = 'overdue'");

    /// <summary>The whole second that is this far ahead, by PostgreSQL's clock.</summary>
    public static async Task<Instant> NextSecondAsync(BenchmarkDatabase database, int leadSeconds) =>
        Instant.FromUnixTimeSeconds((await database.NowAsync()).ToUnixTimeSeconds() + leadSeconds);
}
