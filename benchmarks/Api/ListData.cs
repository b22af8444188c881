using Actors.Benchmarks.Databases;

namespace Actors.Benchmarks.Api;

/// <summary>
/// A log of runs, agencies and their ledger, of any size. Every id is the md5 of a number, so that none needs to be
/// looked up. Triggers sleep while it is filled, and indexes are made after it.
/// </summary>
/// <param name="Jobs">
/// Rows of `jobs_log`, 30 s apart: 3 in 4 ours, 1 in 1,000 failed, 1 in 10,000 by the watchdog.
/// </param>
/// <param name="Agencies">1 in 10,000 each in a rare zone, failed, paused, and late.</param>
/// <param name="Ledger">Rows of `agency_runs`, and some more for the busy agencies.</param>
internal sealed record ListData(int Jobs, int Agencies, int Ledger)
{
    /// <summary>These agencies have a year and more of rows, the others few.</summary>
    public const int BusyAgencies = 50;

    private const int DatesOfBusyOnes = 400;

    /// <summary>Agencies of the newest run, which is by far the largest.</summary>
    public int AgenciesOfLargestRun => Math.Min(Agencies, Math.Min(100_000, Ledger / 10));

    public async Task FillAsync(BenchmarkDatabase database, Action<string> report)
    {
        report($"Filling agencies: {Agencies:N0} …");
        await FillAsync(database, ["agencies", "agency_cutoffs"],
            """
            INSERT INTO agencies (id, name, timezone)
            SELECT md5('agency' || n)::uuid, 'Agency ' || n, CASE WHEN n % 10000 = 17 THEN 'Asia/Tokyo' ELSE 'UTC' END
            FROM generate_series(1, @agencies) AS n
            """,
            """
            INSERT INTO agency_cutoffs (
              agency_id, last_cutoff_date, last_cutoff_at, next_cutoff_date, next_cutoff_at, tzdb_version,
              failed_attempts, last_error, paused_at)
            SELECT md5('agency' || n)::uuid, '2026-03-01', '2026-03-01Z'::timestamptz + n % 86400 * interval '1 s',
                   '2026-03-02',
                   clock_timestamp() + CASE WHEN n % 10000 = 20 THEN interval '-1 min' ELSE interval '1 day' END
                     + n % 86400 * CASE WHEN n % 10000 = 20 THEN interval '0' ELSE interval '1 s' END,
                   '2026f', (n % 10000 = 18)::integer, CASE WHEN n % 10000 = 18 THEN 'a lock was held' END,
                   CASE WHEN n % 10000 = 19 THEN clock_timestamp() END
            FROM generate_series(1, @agencies) AS n
            """);
        report($"Filling the log: {Jobs:N0} runs …");
        await FillAsync(database, ["jobs_log"],
            """
            INSERT INTO jobs_log (id, job_name, started_at, completed_at, records_updated, status, error_message,
              metadata)
            SELECT md5('job' || n)::uuid, CASE WHEN is_ours THEN 'update-installment-statuses' ELSE 'mail' END,
                   timestamptz '2026-11-01Z' - (@jobs - n) * interval '30 s',
                   timestamptz '2026-11-01Z' - (@jobs - n) * interval '30 s' + interval '1 s',
                   n % 100, CASE WHEN n % 1000 = 1 THEN 'failed' ELSE 'success' END,
                   CASE WHEN n % 1000 = 1 THEN '1 of 10 agencies failed: a lock was held' END,
                   CASE WHEN is_ours THEN jsonb_build_object(
                     'trigger', CASE WHEN n % 10000 = 2 THEN 'watchdog' WHEN n % 100 = 3 THEN 'api' ELSE 'reminder' END,
                     'cutoff_at', '2026-11-01T00:00:00Z', 'agencies_total', 10, 'agencies_marked', 1,
                     'agencies_failed', 0, 'agencies', jsonb_build_array(jsonb_build_object(
                       'agency_id', md5('agency' || n)::uuid, 'updated_count', n % 100))) END
            FROM (SELECT n, n % 4 <> 0 AS is_ours FROM generate_series(1, @jobs) AS n) AS log
            """);
        report($"Filling the ledger: {Ledger:N0} rows …");
        await FillAsync(database, ["agency_runs"],
            """
            INSERT INTO agency_runs (job_id, agency_id, cutoff_date, cutoff_at, serves_cutoff, trigger, started_at,
              completed_at, late_by, status, records_updated, installment_ids, timezone, overdue_cutoff_time,
              resolution, tzdb_version, error_message)
            SELECT md5('job' || job)::uuid, md5('agency' || agency)::uuid, day, at, true, 'reminder', at,
                   at + interval '1 s', interval '1 s', CASE WHEN is_failed THEN 'failed' ELSE 'success' END, 0, '{}',
                   'UTC', '17:00', 'once', '2026f', CASE WHEN is_failed THEN 'a lock was held' END
            FROM (
              SELECT CASE WHEN n < @largest THEN @jobs ELSE 1 + (n::bigint * @jobs / @ledger)::integer END AS job,
                     1 + n % @agencies AS agency, date '2026-01-01' + n / @agencies AS day, n % 10000 = 5 AS is_failed,
                     timestamptz '2026-01-01 17:00Z' + n / @agencies * interval '1 day' AS at
              FROM generate_series(0, @ledger - 1) AS n
              UNION ALL
              SELECT 1 + (n::bigint * @jobs / (@busy * @dates))::integer, 1 + n % @busy,
                     date '2027-01-01' + n / @busy, false,
                     timestamptz '2027-01-01 17:00Z' + n / @busy * interval '1 day'
              FROM generate_series(0, @busy * @dates - 1) AS n
            ) AS entries
            """);
        await database.ExecuteAsync("TRUNCATE events; TRUNCATE agency_changes");
        await database.ExecuteAsync("VACUUM (ANALYZE)");
    }

    private async Task FillAsync(BenchmarkDatabase database, string[] tables, params string[] statements)
    {
        // Of an index that a constraint has, the constraint would have to go, and with it what refers to it.
        var indexes = await database.ReadAsync<string[]>(
            """
            SELECT coalesce(array_agg(i.indexrelid::regclass::text || '|' || pg_get_indexdef(i.indexrelid)), '{}')
            FROM pg_index i
            WHERE i.indrelid = ANY (@tables::regclass[])
              AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)
            """,
            ("tables", tables));
        foreach (var table in tables) await database.ExecuteAsync($"ALTER TABLE {table} DISABLE TRIGGER USER");
        foreach (var index in indexes) await database.ExecuteAsync($"DROP INDEX {index.Split('|')[0]}");
        foreach (var statement in statements)
        {
            (string, object)[] parameters =
            [
                ("jobs", Jobs), ("agencies", Agencies), ("ledger", Ledger), ("largest", AgenciesOfLargestRun),
                ("busy", BusyAgencies), ("dates", DatesOfBusyOnes),
            ];
            await database.ExecuteAsync(
                statement, [.. parameters.Where(one => statement.Contains($"@{one.Item1}", StringComparison.Ordinal))]);
        }

        foreach (var index in indexes)
            await database.ExecuteAsync($"SET maintenance_work_mem = '1GB'; {index[(index.IndexOf('|') + 1)..]}");
        foreach (var table in tables) await database.ExecuteAsync($"ALTER TABLE {table} ENABLE TRIGGER USER");
    }
}
