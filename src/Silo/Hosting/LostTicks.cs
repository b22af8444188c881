using System.Collections.Concurrent;
using Actors.Grains;
using Actors.Grains.Interfaces;
using NodaTime;
using Npgsql;
using NpgsqlTypes;

namespace Actors.Silo.Hosting;

/// <summary>
/// A tick may be lost, and Orleans does not repeat it. Where reminders change hands, because a silo joins, leaves or
/// dies, a tick that is due just then is ticked by neither side. And where a silo reads its reminders anew, every
/// 5 minutes, one that has been due for some milliseconds and has not ticked yet is taken for one of tomorrow. So every
/// 2 s one silo asks the database which cutoffs have just passed unserved, and asks their agencies, as their reminders
/// would have. For a while after a change of silos it has the coordinator sweep too, which may have gone with one.
/// <para>
/// The silo that does so is the first by address of those that live. Where two think so, an agency is asked twice,
/// which is harmless; what passed longer ago is the sweep's. An agency that is at its retries is left to them.
/// </para>
/// </summary>
internal sealed partial class LostTicks(
    ISiloStatusOracle silos,
    GrainDatabase database,
    IGrainFactory grains,
    TimeProvider time,
    ILogger<LostTicks> logger) : BackgroundService, ISiloStatusListener
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    /// <summary>
    /// On a machine that is busy, with the start of the very silo that has joined perhaps, it takes the new owners some
    /// seconds to read their reminders, and the coordinator to move.
    /// </summary>
    private const int SweepsAfterChange = 6;

    /// <summary>What has passed for less than this may be on its way.</summary>
    private static readonly Duration OnItsWay = Duration.FromMilliseconds(500);

    /// <summary>Longer than it takes to declare a silo dead. What passed before is left to the sweep.</summary>
    private static readonly Duration Window = Duration.FromSeconds(30);

    /// <summary>More than so many of one instant may be a herd of ticks that is being served.</summary>
    private const int Few = 32;

    /// <summary>In seconds: a look that takes longer comes too late for what it looks for.</summary>
    private const int TimeLimit = 5;

    private const int AgenciesInFlight = 256;

    private const string JustPassed =
        """
        SELECT agency_id, next_cutoff_at
        FROM agency_cutoffs, (SELECT coalesce(@now, clock_timestamp()) AS now) AS clock
        WHERE paused_at IS NULL
          AND next_cutoff_at BETWEEN now - @window AND now - @on_its_way
          AND (set_aside_until IS NULL OR set_aside_until <= now)
        """;

    /// <summary>The agencies that were asked and have not answered yet.</summary>
    private readonly ConcurrentDictionary<Guid, bool> _underWay = new();

    /// <summary>What the look before has found, by its cutoff.</summary>
    private ILookup<Instant, Guid> _found = Enumerable.Empty<Guid>().ToLookup(_ => default(Instant));

    // This silo has joined just now.
    private int _sweepsLeft = SweepsAfterChange;
    private bool _looksFail;

    public void SiloStatusChangeNotification(SiloAddress updatedSilo, SiloStatus status) =>
        Volatile.Write(ref _sweepsLeft, SweepsAfterChange);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        silos.SubscribeToSiloStatusEvents(this);
        try
        {
            while (true)
            {
                await Task.Delay(Pause, time, stoppingToken);
                var living = silos.GetApproximateSiloStatuses(onlyActive: true).Keys;
                if (!silos.SiloAddress.Equals(living.Min())) continue;
                if (Volatile.Read(ref _sweepsLeft) > 0)
                {
                    Interlocked.Decrement(ref _sweepsLeft);
                    HaveSweptAsync(stoppingToken).Ignore();
                }

                await LookQuietlyAsync(stoppingToken);
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

    /// <summary>
    /// Whom no reminder serves any more. A few of one instant are no matter; many may be a herd of ticks that has its
    /// turn, and are asked only when they were there at the look before, and nobody of the herd was served since.
    /// </summary>
    /// <param name="before">Whose cutoff had passed unserved at the look before, by its instant.</param>
    /// <param name="found">Whose has now.</param>
    internal static IEnumerable<Guid> Lost(ILookup<Instant, Guid> before, ILookup<Instant, Guid> found)
    {
        return found.SelectMany(Of);

        IEnumerable<Guid> Of(IGrouping<Instant, Guid> herd)
        {
            if (herd.Count() <= Few) return herd;
            var earlier = before[herd.Key];
            return earlier.Except(herd).Any() ? [] : earlier;
        }
    }

    /// <summary>Nobody waits for it: a coordinator that moves, or whose silo keeps silent, takes long.</summary>
    private async Task HaveSweptAsync(CancellationToken stoppingToken)
    {
        try
        {
            var coordinator = grains.GetGrain<ICoordinatorGrain>(JobNames.UpdateInstallmentStatuses);
            await coordinator.StartAsync();
            await coordinator.SweepAsync();
        }
        catch (Exception error)
        {
            if (!stoppingToken.IsCancellationRequested) LogUnswept(error.Message);
        }
    }

    private async Task LookQuietlyAsync(CancellationToken stoppingToken)
    {
        try
        {
            await LookAsync(stoppingToken);
            _looksFail = false;
        }
        catch (Exception error)
        {
            // The sweep takes up what is left, and the silo must not stop for it. One word an outage is enough.
            if (!_looksFail && !stoppingToken.IsCancellationRequested) LogLeft(error.Message);
            _looksFail = true;
        }
    }

    /// <summary>
    /// Waits for no agency: one that takes long would keep this from the next look. It is not asked anew meanwhile.
    /// </summary>
    private async Task LookAsync(CancellationToken stoppingToken)
    {
        var (before, found) = (_found, await JustPassedAsync(stoppingToken));
        _found = found;
        var asked = Lost(before, found).Where(agency => _underWay.TryAdd(agency, true)).ToArray();
        if (asked.Length == 0) return;
        LogLookedAfter(asked.Length);
        AskAsync(asked, stoppingToken).Ignore();
    }

    private async Task AskAsync(Guid[] agencies, CancellationToken stoppingToken)
    {
        var inFlight = new ParallelOptions { MaxDegreeOfParallelism = AgenciesInFlight };
        var failures = new ConcurrentQueue<Exception>();
        await Parallel.ForEachAsync(agencies, inFlight, async (agency, _) =>
        {
            try
            {
                if (!stoppingToken.IsCancellationRequested)
                    await grains.GetGrain<IAgencyGrain>(agency).ServeLostTickAsync();
            }
            catch (Exception error)
            {
                // One whose silo is not there must not keep this from the others.
                failures.Enqueue(error);
            }
            finally
            {
                _underWay.TryRemove(agency, out bool _);
            }
        });
        if (failures.TryPeek(out var first) && !stoppingToken.IsCancellationRequested)
            LogUnanswered(failures.Count, first.Message);
    }

    private async Task<ILookup<Instant, Guid>> JustPassedAsync(CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand(JustPassed);
        command.CommandTimeout = TimeLimit;
        command.Parameters.Add(new NpgsqlParameter("now", NpgsqlDbType.TimestampTz)
        {
            Value = database.Clock.Replacement is { } now ? now : DBNull.Value,
        });
        command.Parameters.Add(new NpgsqlParameter("window", NpgsqlDbType.Interval) { Value = Window });
        command.Parameters.Add(new NpgsqlParameter("on_its_way", NpgsqlDbType.Interval) { Value = OnItsWay });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var agencies = new List<(Guid Id, Instant Cutoff)>();
        while (await reader.ReadAsync(cancellationToken))
            agencies.Add((reader.GetGuid(0), reader.GetFieldValue<Instant>(1)));
        return agencies.ToLookup(agency => agency.Cutoff, agency => agency.Id);
    }

    [LoggerMessage(Level = LogLevel.Information,
        Message = "Agencies whose cutoff has just passed, and that no reminder has served, looked after: {Agencies}")]
    private partial void LogLookedAfter(int agencies);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "What no reminder has served could not be looked after; the sweep does it: {Error}")]
    private partial void LogLeft(string error);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "{Agencies} agencies that no reminder has served did not answer; the sweep takes them up: {Error}")]
    private partial void LogUnanswered(int agencies, string error);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "The coordinator did not sweep after a change of silos; it does by its own timer: {Error}")]
    private partial void LogUnswept(string error);
}
