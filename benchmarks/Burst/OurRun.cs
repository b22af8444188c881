using Actors.Benchmarks.Databases;
using Actors.Benchmarks.Measuring;
using NodaTime;
using Npgsql;

namespace Actors.Benchmarks.Burst;

/// <summary>The product's run at one cutoff, seen from the database alone.</summary>
internal static class OurRun
{
    /// <summary>
    /// Waits until the run of this cutoff's reminders is closed, and answers how long after the cutoff that was; not
    /// before it has checked that the run did all it promises.
    /// </summary>
    public static Task<Sample> AwaitAsync(BenchmarkDatabase database, Instant cutoff, PaymentData data) =>
        AwaitAsync(database, "reminder", cutoff, data, _ => cutoff);

    /// <summary>
    /// The same of a run that catches up with one missed cutoff: counted from the instant at which the sweep found it.
    /// </summary>
    public static Task<Sample> AwaitCatchUpAsync(BenchmarkDatabase database, Instant cutoff, PaymentData data) =>
        AwaitAsync(database, "catch_up", cutoff, data, run => run);

    private static async Task<Sample> AwaitAsync(
        BenchmarkDatabase database, string trigger, Instant cutoff, PaymentData data, Func<Instant, Instant> begin)
    {
        await using var source = database.Open();
        await using var connection = await source.OpenConnectionAsync();
        await using var look = new NpgsqlCommand(
            """
            SELECT started_at, clock_timestamp(), metadata ->> 'trigger' FROM jobs_log
            WHERE started_at >= @cutoff AND status <> 'running'
            """, connection);
        look.Parameters.AddWithValue("cutoff", cutoff);
        await look.PrepareAsync();
        var meter = await Meter.StartAsync(database);
        TimeSpan? time = null;
        await Waiting.UntilAsync("the run was closed", TimeSpan.FromMinutes(10), async () =>
        {
            await using var reader = await look.ExecuteReaderAsync();
            if (!await reader.ReadAsync()) return false;
            if (reader.GetString(2) != trigger) throw new CutoffCameTooSoonException();
            var closed = reader.GetFieldValue<Instant>(1);
            time = (closed - begin(reader.GetFieldValue<Instant>(0))).ToTimeSpan();
            return true;
        });
        var cost = await meter.ReadAsync();
        await RequireWholeAsync(database, cutoff, data.Agencies);
        return new Sample(time!.Value, await Marked.CountAsync(database), cost);
    }

    /// <summary>One successful run, one ledger row for each agency, and sums that agree.</summary>
    private static async Task RequireWholeAsync(BenchmarkDatabase database, Instant cutoff, int agencies)
    {
        var wrong = await database.ReadAsync<string>(
            """
            WITH run AS (
              SELECT id, status, records_updated FROM jobs_log
              WHERE started_at >= @cutoff AND job_name = 'update-installment-statuses'
            ), ledger AS (
              SELECT count(*) AS rows, count(DISTINCT agency_id) AS agencies, sum(records_updated) AS marked,
                     count(*) FILTER (WHERE job_id NOT IN (SELECT id FROM run)) AS elsewhere
              FROM agency_runs WHERE cutoff_at = @cutoff AND serves_cutoff AND status = 'success'
            )
            SELECT concat_ws('; ',
              CASE WHEN (SELECT count(*) FROM run) <> 1 THEN (SELECT count(*) FROM run) || ' runs in jobs_log' END,
              CASE WHEN (SELECT min(status) FROM run) <> 'success' THEN 'the run failed' END,
              CASE WHEN l.rows <> @agencies OR l.agencies <> @agencies THEN l.rows || ' rows in agency_runs' END,
              CASE WHEN l.elsewhere > 0 THEN l.elsewhere || ' rows of another run' END,
              CASE WHEN l.marked <> (SELECT sum(records_updated) FROM run) THEN l.marked || ' in the ledger' END,
              CASE WHEN EXISTS (SELECT FROM agency_cutoffs WHERE next_cutoff_at <= @cutoff) THEN 'agencies left' END)
            FROM ledger l
            """,
            ("cutoff", cutoff), ("agencies", (long)agencies));
        if (wrong.Length > 0) throw new InvalidOperationException($"The run was not what it promises: {wrong}.");
    }
}
