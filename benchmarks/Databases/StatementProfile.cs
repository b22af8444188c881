namespace Actors.Benchmarks.Databases;

/// <summary>What PostgreSQL has spent on each statement in a database, the dearest first.</summary>
internal static class StatementProfile
{
    public static async Task ReportAsync(BenchmarkDatabase database, Action<string> report)
    {
        await using var source = database.Open();
        await using var command = source.CreateCommand(
            """
            SELECT format('%8s ms  %6s calls  %8s rows  %8s hit  %6s read  %8s kB WAL  %s',
              round(total_exec_time::numeric, 1), calls, rows, shared_blks_hit, shared_blks_read,
              round(wal_bytes / 1024), left(regexp_replace(query, '\s+', ' ', 'g'), 110))
            FROM pg_stat_statements
            WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
            ORDER BY total_exec_time DESC LIMIT 14
            """);
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync()) report(reader.GetString(0));
    }
}
