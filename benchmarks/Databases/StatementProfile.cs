namespace Actors.Benchmarks.Databases;

/// <summary>What PostgreSQL has spent on each statement in a database.</summary>
internal static class StatementProfile
{
    /// <summary>Reports the dearest of them.</summary>
    public static async Task ReportAsync(BenchmarkDatabase database, Action<string> report)
    {
        await using var source = database.Open();
        await using var command = source.CreateCommand(
            """
            SELECT format('%8s ms + %6s ms planned  %6s calls  %8s rows  %8s hit  %6s read  %8s kB WAL  %s',
              round(total_exec_time::numeric, 1), round(total_plan_time::numeric, 1), calls, rows, shared_blks_hit,
              shared_blks_read, round(wal_bytes / 1024), left(regexp_replace(query, '\s+', ' ', 'g'), 110))
            FROM pg_stat_statements
            WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
            ORDER BY total_exec_time + total_plan_time DESC LIMIT 14
            """);
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync()) report(reader.GetString(0));
    }

    /// <summary>Forgets what was spent so far.</summary>
    public static Task ResetAsync(BenchmarkDatabase database) =>
        database.ExecuteAsync("SELECT pg_stat_statements_reset(0, (SELECT oid FROM pg_database "
            + "WHERE datname = current_database()), 0)");

    /// <summary>The time of all statements of the silo's login, planning included.</summary>
    public static async Task<TimeSpan> TimeOfSiloAsync(BenchmarkDatabase database) =>
        TimeSpan.FromMilliseconds(await database.ReadAsync<double>(
            """
            SELECT coalesce(sum(total_exec_time + total_plan_time), 0) FROM pg_stat_statements
            WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
              AND userid = 'actors_silo'::regrole
            """));
}
