using Actors.Benchmarks.Databases;
using Actors.Benchmarks.Measuring;
using NodaTime;
using Quartz;

namespace Actors.Benchmarks.Burst;

/// <summary>
/// Quartz.NET as its documentation sets it up for a cluster: PostgreSQL job store, one job and trigger for each agency,
/// 16 threads, batches of as many triggers.
/// </summary>
internal static class QuartzBurst
{
    private const int Threads = 16;
    private const int ScheduledAtOnce = 500;

    /// <summary>Makes Quartz' tables, and a trigger for each agency, far off.</summary>
    public static async Task ScheduleAsync(BenchmarkDatabase database, Action<string> report)
    {
        report("Scheduling Quartz' triggers …");
        var scheduler = await StartAsync(database);
        await scheduler.Standby();
        var farOff = (await database.NowAsync()).Plus(Duration.FromDays(30)).ToDateTimeOffset();
        foreach (var agencies in (await AgencyJob.AgenciesAsync(database)).Chunk(ScheduledAtOnce))
        {
            await scheduler.ScheduleJobs(
                agencies.ToDictionary(
                    agency => JobBuilder.Create<QuartzAgencyJob>().WithIdentity($"{agency}").Build(),
                    agency => (IReadOnlyCollection<ITrigger>)
                        [TriggerBuilder.Create().WithIdentity($"{agency}").StartAt(farOff).Build()]));
        }

        await scheduler.Shutdown(waitForJobsToComplete: true);
        await database.ExecuteAsync("VACUUM (ANALYZE)");
    }

    /// <summary>Moves the triggers to the cutoff, starts the scheduler, and waits for the last job's commit.</summary>
    public static async Task<Sample> MeasureAsync(BenchmarkDatabase database, BurstSize size, int leadSeconds)
    {
        var cutoff = await Marked.NextSecondAsync(database, leadSeconds);
        // Quartz keeps its times as ticks.
        await database.ExecuteAsync(
            "UPDATE qrtz_triggers SET start_time = @ticks, next_fire_time = @ticks",
            ("ticks", cutoff.ToDateTimeUtc().Ticks));
        await database.ExecuteAsync("CHECKPOINT");
        await using var jobs = new AgencyJob(database, size.Data.Agencies, cutoff);
        AgencyJob.Current = jobs;
        var meter = await Meter.StartAsync(database);
        var scheduler = await StartAsync(database);
        try
        {
            var time = await jobs.AllDoneAsync();
            var cost = await meter.ReadAsync();
            return new Sample(time, await Marked.CountAsync(database), cost);
        }
        finally
        {
            await scheduler.Shutdown(waitForJobsToComplete: true);
        }
    }

    private static async Task<IScheduler> StartAsync(BenchmarkDatabase database)
    {
        var scheduler = await QuartzSchedulerBuilder.Create(quartz =>
        {
            quartz.ConfigureScheduler(options =>
            {
                options.GenerateInstanceId = true;
                options.MaxBatchSize = Threads;
            });
            quartz.UseDefaultThreadPool(Threads);
            quartz.UsePersistentStore(store =>
            {
                store.UsePostgres(database.OwnerConnectionString);
                store.UseClustering();
                store.ProvisionSchema();
            });
        }).BuildScheduler();
        await scheduler.Start();
        return scheduler;
    }
}

/// <summary>What Quartz runs; its key is the agency.</summary>
internal sealed class QuartzAgencyJob : IJob
{
    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default) =>
        await AgencyJob.Current.MarkAsync(Guid.Parse(context.JobDetail.Key.Name));
}
