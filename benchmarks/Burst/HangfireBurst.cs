using Actors.Benchmarks.Databases;
using Actors.Benchmarks.Measuring;
using Hangfire;
using Hangfire.PostgreSql;
using NodaTime;

namespace Actors.Benchmarks.Burst;

/// <summary>
/// Hangfire on PostgreSQL with 16 workers: one scheduled job for each agency. It looks for what is due every second,
/// and for what is enqueued all the time; the defaults are 15 s.
/// </summary>
internal static class HangfireBurst
{
    private const int Workers = 16;

    /// <summary>Makes Hangfire's tables, and a job for each agency, far off.</summary>
    public static async Task ScheduleAsync(BenchmarkDatabase database, Action<string> report)
    {
        report("Scheduling Hangfire's jobs …");
        var client = new BackgroundJobClient(Open(database));
        var farOff = (await database.NowAsync()).Plus(Duration.FromDays(30)).ToDateTimeOffset();
        var inFlight = new ParallelOptions { MaxDegreeOfParallelism = 4 };
        Parallel.ForEach(await AgencyJob.AgenciesAsync(database), inFlight, agency =>
            client.Schedule(() => HangfireAgencyJob.RunAsync(agency), farOff));
        await database.ExecuteAsync("VACUUM (ANALYZE)");
    }

    /// <summary>Moves the jobs to the cutoff, starts the server, and waits for the last job's commit.</summary>
    public static async Task<Sample> MeasureAsync(BenchmarkDatabase database, BurstSize size, int leadSeconds)
    {
        var cutoff = await Marked.NextSecondAsync(database, leadSeconds);
        await database.ExecuteAsync(
            "UPDATE hangfire.set SET score = @seconds WHERE key = 'schedule'",
            ("seconds", (double)cutoff.ToUnixTimeSeconds()));
        await database.ExecuteAsync("CHECKPOINT");
        await using var jobs = new AgencyJob(database, size.Data.Agencies, cutoff);
        AgencyJob.Current = jobs;
        var meter = await Meter.StartAsync(database);
        var options = new BackgroundJobServerOptions
        {
            WorkerCount = Workers,
            SchedulePollingInterval = TimeSpan.FromSeconds(1),
        };
        using var server = new BackgroundJobServer(options, Open(database));
        var time = await jobs.AllDoneAsync();
        var cost = await meter.ReadAsync();
        return new Sample(time, await Marked.CountAsync(database), cost);
    }

    private static PostgreSqlStorage Open(BenchmarkDatabase database) => new(
        new Hangfire.PostgreSql.Factories.NpgsqlConnectionFactory(
            database.OwnerConnectionString, new PostgreSqlStorageOptions(), null),
        new PostgreSqlStorageOptions { QueuePollInterval = TimeSpan.FromMilliseconds(50) });
}

/// <summary>What Hangfire runs.</summary>
internal static class HangfireAgencyJob
{
    public static Task RunAsync(Guid agency) => AgencyJob.Current.MarkAsync(agency);
}
