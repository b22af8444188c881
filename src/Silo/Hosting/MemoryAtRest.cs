using System.Diagnostics;

namespace Actors.Silo.Hosting;

/// <summary>
/// Gives memory back to the machine once a process that was at work has come to rest. .NET collects when its first
/// generation is full, which `./actors` makes large so that few collections stop a burst: what arming or a burst leaves
/// there would stay until as much again was allocated, and at rest that takes most of an hour.
/// </summary>
internal sealed partial class MemoryAtRest(TimeProvider time, ILogger<MemoryAtRest> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var looks = new PeriodicTimer(AllocationsSeen.Pause, time);
        var seen = AllocationsSeen.Nothing;
        try
        {
            while (await looks.WaitForNextTickAsync(stoppingToken))
            {
                seen = seen.Look(GC.GetTotalAllocatedBytes());
                if (seen.HasComeToRest) GiveBack();
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The silo stops.
        }
    }

    private void GiveBack()
    {
        var (before, started) = (Environment.WorkingSet, Stopwatch.GetTimestamp());
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        var (after, took) = (Environment.WorkingSet, Stopwatch.GetElapsedTime(started));
        LogGivenBack(before >> 20, after >> 20, took);
    }

    [LoggerMessage(Level = LogLevel.Debug,
        Message = "At rest, with {Before} MB of memory; after a collection of {Took} with {After} MB")]
    private partial void LogGivenBack(long before, long after, TimeSpan took);
}
