using System.Collections.Concurrent;
using System.Threading.Channels;
using Actors.Grains;
using Actors.Grains.Interfaces;
using NodaTime;
using Npgsql;
using NpgsqlTypes;

namespace Actors.Silo.Hosting;

/// <summary>
/// Whenever a silo joins, leaves or is declared dead, reminders change hands, and a tick that is due just then is
/// ticked by neither side. Orleans does not repeat it; the sweep would find it when it is late. So a moment after each
/// such change, and for some seconds more, one silo asks the database which cutoffs have just passed unserved, and asks
/// their agencies, as their reminders would have; and it has the coordinator sweep, which may have gone with the silo.
/// <para>
/// The silo that does so is the first by address of those that live. Where two think so, an agency is asked twice,
/// which is harmless; what passed longer ago is the sweep's.
/// </para>
/// </summary>
internal sealed partial class LostTicks(
    ISiloStatusOracle silos,
    GrainDatabase database,
    IGrainFactory grains,
    TimeProvider time,
    ILogger<LostTicks> logger) : BackgroundService, ISiloStatusListener
{
    /// <summary>
    /// The pauses between the looks after a change. On a machine that is busy, with the start of the very silo that has
    /// joined perhaps, it takes the new owners some seconds to read their reminders.
    /// </summary>
    private static readonly TimeSpan[] Looks =
    [
        TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(2),
        TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(3),
    ];

    /// <summary>What has passed for less than this may be on its way: a herd must not be asked for twice.</summary>
    private static readonly Duration OnItsWay = Duration.FromMilliseconds(500);

    /// <summary>Longer than it takes to declare a silo dead. What passed before is left to the sweep.</summary>
    private static readonly Duration Window = Duration.FromSeconds(30);

    private const int AgenciesInFlight = 256;

    private const string JustPassed =
        """
        SELECT agency_id
        FROM agency_cutoffs, (SELECT coalesce(@now, clock_timestamp()) AS now) AS clock
        WHERE paused_at IS NULL
          AND next_cutoff_at BETWEEN now - @window AND now - @on_its_way
          AND (set_aside_until IS NULL OR set_aside_until <= now)
        ORDER BY next_cutoff_at
        """;

    // One change is looked after at a time; those that come meanwhile ask for one more look.
    private readonly Channel<SiloAddress> _changes = Channel.CreateBounded<SiloAddress>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest });

    /// <summary>The agencies that were asked and have not answered yet.</summary>
    private readonly ConcurrentDictionary<Guid, bool> _underWay = new();

    public void SiloStatusChangeNotification(SiloAddress updatedSilo, SiloStatus status) =>
        _changes.Writer.TryWrite(updatedSilo);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        silos.SubscribeToSiloStatusEvents(this);
        // This silo has joined already.
        _changes.Writer.TryWrite(silos.SiloAddress);
        try
        {
            await foreach (var _ in _changes.Reader.ReadAllAsync(stoppingToken))
            {
                foreach (var pause in Looks)
                {
                    await Task.Delay(pause, time, stoppingToken);
                    if (silos.SiloAddress.Equals(Living().Min())) await ReplayQuietlyAsync(stoppingToken);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The others look after what this one leaves.
        }
        finally
        {
            silos.UnSubscribeFromSiloStatusEvents(this);
        }
    }

    private Dictionary<SiloAddress, SiloStatus>.KeyCollection Living() =>
        silos.GetApproximateSiloStatuses(onlyActive: true).Keys;

    private async Task ReplayQuietlyAsync(CancellationToken stoppingToken)
    {
        try
        {
            var coordinator = grains.GetGrain<ICoordinatorGrain>(JobNames.UpdateInstallmentStatuses);
            await coordinator.StartAsync();
            // It may take long, and comes by its own timer too.
            coordinator.SweepAsync().Ignore();
            // The first silo of a cluster has taken over from nobody: what passed before it is the sweep's.
            if (Living().Count > 1) await ReplayAsync(stoppingToken);
        }
        catch (Exception error) when (!stoppingToken.IsCancellationRequested)
        {
            // The sweep takes up what is left, and the silo must not stop for it.
            LogLeft(error.Message);
        }
    }

    /// <summary>
    /// Waits for no agency: one that takes long would keep this from the next look. It is not asked anew meanwhile.
    /// </summary>
    private async Task ReplayAsync(CancellationToken stoppingToken)
    {
        var passed = await JustPassedAsync(stoppingToken);
        var asked = passed.Where(agency => _underWay.TryAdd(agency, true)).ToArray();
        if (asked.Length == 0) return;
        LogReplayed(asked.Length);
        AskAsync(asked, stoppingToken).Ignore();
    }

    private Task AskAsync(Guid[] agencies, CancellationToken stoppingToken)
    {
        var inFlight = new ParallelOptions { MaxDegreeOfParallelism = AgenciesInFlight };
        return Parallel.ForEachAsync(agencies, inFlight, async (agency, _) =>
        {
            try
            {
                if (!stoppingToken.IsCancellationRequested)
                    await grains.GetGrain<IAgencyGrain>(agency).BringUpToDateAsync(new RunRequest(RunTrigger.Reminder));
            }
            catch (Exception error)
            {
                // One whose silo is not there must not keep this from the others.
                if (!stoppingToken.IsCancellationRequested) LogLeft(error.Message);
            }
            finally
            {
                _underWay.TryRemove(agency, out bool _);
            }
        });
    }

    private async Task<IReadOnlyList<Guid>> JustPassedAsync(CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand(JustPassed);
        command.Parameters.Add(new NpgsqlParameter("now", NpgsqlDbType.TimestampTz)
        {
            Value = database.Clock.Replacement is { } now ? now : DBNull.Value,
        });
        command.Parameters.Add(new NpgsqlParameter("window", NpgsqlDbType.Interval) { Value = Window });
        command.Parameters.Add(new NpgsqlParameter("on_its_way", NpgsqlDbType.Interval) { Value = OnItsWay });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var agencies = new List<Guid>();
        while (await reader.ReadAsync(cancellationToken)) agencies.Add(reader.GetGuid(0));
        return agencies;
    }

    [LoggerMessage(Level = LogLevel.Information,
        Message = "Agencies whose cutoff passed while silos changed, looked after: {Agencies}")]
    private partial void LogReplayed(int agencies);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "What passed while silos changed could not be looked after; the sweep does it: {Error}")]
    private partial void LogLeft(string error);
}
