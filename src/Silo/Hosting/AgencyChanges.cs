using Actors.Grains.Interfaces;
using Actors.Silo.Database;
using Npgsql;

namespace Actors.Silo.Hosting;

/// <summary>
/// Listens for the nudge that PostgreSQL sends when an agency is inserted or its settings change, and asks the
/// coordinator to look at once. A nudge that is lost costs one period of the sweep and nothing else, so nothing here is
/// retried but the connection; and whoever listens again has the coordinator look for what it may not have heard.
/// </summary>
internal sealed partial class AgencyChanges(
    SiloSettings settings, IGrainFactory grains, TimeProvider time, ILogger<AgencyChanges> logger) : BackgroundService
{
    private const string Channel = "agency_changed";
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private bool _hasLost;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await ListenAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error)
            {
                // Whatever it was: without nudges the sweep finds the changes, and the silo must not stop for it.
                _hasLost = true;
                LogLost(error.Message, Pause);
                await Task.Delay(Pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task ListenAsync(CancellationToken stoppingToken)
    {
        // A connection of its own, straight to the server: LISTEN belongs to a session.
        var connectionString = new NpgsqlConnectionStringBuilder(settings.SiloConnectionString)
        {
            ApplicationName = "actors-listen",
            Pooling = false,
            KeepAlive = 30,
        };
        await using var connection = OwnConnection.To(connectionString.ConnectionString);
        await connection.OpenAsync(stoppingToken);
        await using (var listen = new NpgsqlCommand($"LISTEN {Channel}", connection))
            await listen.ExecuteNonQueryAsync(stoppingToken);

        if (_hasLost) Nudge();
        while (true)
        {
            await connection.WaitAsync(stoppingToken);
            Nudge();
        }
    }

    private void Nudge() =>
        grains.GetGrain<ICoordinatorGrain>(JobNames.UpdateInstallmentStatuses).SweepAsync().Ignore();

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "Not listening for changed agencies, the sweep finds them meanwhile; again in {Pause}: {Error}")]
    private partial void LogLost(string error, TimeSpan pause);
}
