using Actors.Grains.Interfaces;

namespace Actors.Silo.Hosting;

/// <summary>
/// Once the silo is up: wakes the coordinator, wherever in the cluster it lives. Its own reminder keeps it awake from
/// then on, so this ends with the first success.
/// </summary>
internal sealed partial class CoordinatorStarting(
    IGrainFactory grains, TimeProvider time, ILogger<CoordinatorStarting> logger) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            try
            {
                await grains.GetGrain<ICoordinatorGrain>(JobNames.UpdateInstallmentStatuses).StartAsync();
                return;
            }
            catch (Exception error) when (!stoppingToken.IsCancellationRequested)
            {
                LogRetry(error.Message, Pause);
            }

            await Task.Delay(Pause, time, stoppingToken);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "The coordinator could not be started and is tried again in {Pause}: {Error}")]
    private partial void LogRetry(string error, TimeSpan pause);
}
