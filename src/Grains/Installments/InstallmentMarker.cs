using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;
using Actors.Grains.Cutoffs;
using Actors.Grains.Interfaces;
using Actors.Grains.Jobs;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using NodaTime;

namespace Actors.Grains.Installments;

/// <summary>
/// Brings agencies up to date, many in one transaction (group commit). One per silo.
/// <para>
/// Requests queue here without a limit of their own (at most one per agency grain is in flight); a few workers take up
/// to <see cref="GrainOptions.BatchSize"/> of them at a time. While a worker is busy the queue grows, so that batches
/// are as large as the load makes them, and an agency alone on an idle silo waits for nobody.
/// </para>
/// <para>
/// A request ends in exactly one of these: an answer, after the commit; or an exception, when nothing of it was
/// committed. An agency that spoils its batch is found by halving the batch; one of which somebody else holds rows is
/// left out and answered with <see cref="AgencyIsBusyException"/>. Nothing is retried here: the agency's grain does.
/// </para>
/// </summary>
internal sealed partial class InstallmentMarker(
    GrainDatabase database,
    JobsLog jobsLog,
    LastWrites writes,
    IGrainFactory grains,
    GrainOptions options,
    ILogger<InstallmentMarker> logger) : BackgroundService
{
    /// <summary>
    /// How long a plain update waits for a row that somebody else holds, before such agencies are left out.
    /// </summary>
    private static readonly TimeSpan LockPatience = TimeSpan.FromMilliseconds(50);

    private readonly Channel<MarkingWork> _queue = Channel.CreateUnbounded<MarkingWork>();
    private readonly RunsToLookAt _runs = new();

    /// <summary>
    /// Brings one agency up to date by one wave, and answers after the commit.
    /// </summary>
    /// <exception cref="Exception">
    /// Nothing was written. <see cref="DatabaseErrors.IsTransient"/> tells whether another try is worth while.
    /// </exception>
    public Task<MarkingAnswer> BringUpToDateAsync(AgencyId agency, RunRequest request)
    {
        var work = new MarkingWork(agency, request);
        if (!_queue.Writer.TryWrite(work)) throw new OperationCanceledException("The silo is stopping.");
        GrainTelemetry.Waiting(+1);
        return work.Answer.Task;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.WhenAll(Enumerable.Range(0, options.MarkingWorkers)
            .Select(_ => Task.Run(() => WorkAsync(stoppingToken), CancellationToken.None)));

        Nudge(isLast: true);
        // What is still queued was never begun; whoever asked learns it, and the next silo's sweep finds the rest.
        _queue.Writer.TryComplete();
        while (_queue.Reader.TryRead(out var work)) work.Answer.TrySetCanceled(stoppingToken);
    }

    /// <summary>One worker, until the silo stops. It runs where it is called: the host puts it on the thread
    /// pool.</summary>
    internal async Task WorkAsync(CancellationToken stoppingToken)
    {
        var batch = new Dictionary<AgencyId, MarkingWork>();
        MarkingWork? held = null;
        await using var connection = new WorkerConnection(database);
        try
        {
            while (held is not null || await WaitAsync(connection, stoppingToken))
            {
                if (held is not null) batch.Add(held.Agency, held);
                held = null;
                while (batch.Count < options.BatchSize && _queue.Reader.TryRead(out var work))
                {
                    if (batch.TryAdd(work.Agency, work)) continue;
                    held = work; // The same agency again: one after the other.
                    break;
                }

                // A batch that was begun is finished, also while the silo stops.
                await MarkAsync([.. batch.Values], connection);
                GrainTelemetry.Waiting(-batch.Count);
                batch.Clear();
                Nudge(isLast: held is null && _queue.Reader.Count == 0);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            held?.Answer.TrySetCanceled(stoppingToken);
        }
    }

    /// <summary>Until somebody asks, or nobody will any more; meanwhile the pool has the connection.</summary>
    private async ValueTask<bool> WaitAsync(WorkerConnection connection, CancellationToken stoppingToken)
    {
        var asked = _queue.Reader.WaitToReadAsync(stoppingToken);
        if (!asked.IsCompleted) await connection.DisposeAsync();
        return await asked;
    }

    /// <summary>Ends every work of the batch, by its answer or by an exception.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "Whatever went wrong is handed to those who asked.")]
    private async Task MarkAsync(MarkingWork[] batch, WorkerConnection connection)
    {
        try
        {
            await MarkTogetherAsync(batch, connection);
        }
        catch (Exception error) when (batch.Length > 1 && DatabaseErrors.MayBeOfOneAgency(error))
        {
            // One of them spoils it for all, and nothing was written. Halve until it stands alone.
            await connection.DisposeAsync();
            var open = batch.Where(work => !work.Answer.Task.IsCompleted).ToArray();
            LogHalving(open.Length, error);
            await MarkAsync(open[..(open.Length / 2)], connection);
            // What the other half meets may take its time, and this half has nothing to do with it.
            Nudge(isLast: true);
            await MarkAsync(open[(open.Length / 2)..], connection);
        }
        catch (Exception error)
        {
            writes.NoteFailed(error);
            foreach (var work in batch) work.Answer.TrySetException(error);
            await connection.DisposeAsync();
        }
    }

    private async Task MarkTogetherAsync(MarkingWork[] batch, WorkerConnection connection)
    {
        if (batch.Length == 0) return;
        try
        {
            await MarkInOneTransactionAsync(batch, connection, LockPatience);
        }
        catch (Exception error) when (DatabaseErrors.IsLockTimeout(error))
        {
            await MarkUnlockedAsync(batch, connection);
        }
    }

    /// <summary>Rows that others hold are left out, with their agencies; a whole table cannot be.</summary>
    /// <exception cref="TableIsLockedException">Nothing was written.</exception>
    private async Task MarkUnlockedAsync(MarkingWork[] batch, WorkerConnection connection)
    {
        try
        {
            await MarkInOneTransactionAsync(batch, connection, lockPatience: null);
        }
        catch (Exception error) when (DatabaseErrors.IsLockTimeout(error))
        {
            var session = await connection.OpenAsync(CancellationToken.None);
            if (await LockedTable.FindAsync(session, CancellationToken.None) is not var (table, mode, holder)) throw;
            throw new TableIsLockedException(table, mode, holder, error);
        }
    }

    private async Task MarkInOneTransactionAsync(
        MarkingWork[] batch, WorkerConnection connection, TimeSpan? lockPatience)
    {
        using var activity = GrainTelemetry.StartBatch(batch);
        var started = Stopwatch.GetTimestamp();
        await using var transaction = await WatermarkTransaction.BeginAsync(
            await connection.OpenAsync(CancellationToken.None), database.Clock, CancellationToken.None);
        var locked = await transaction.LockAndReadAsync(
            [.. batch.Select(work => work.Agency.Value)], CancellationToken.None);
        var verdicts = batch.Select(work => MarkingVerdict.On(work, locked, options)).ToArray();
        var planned = verdicts.Where(verdict => verdict.Planned is { Plan.WritesNothing: false })
            .Select(verdict => verdict.Planned!).ToArray();

        var marking = await OpenJobsAsync(transaction, planned, locked.Now);
        var written = planned.Length == 0
            ? new WrittenBatch(new Dictionary<(AgencyId, LocalDate), int>(), new HashSet<AgencyId>())
            : await transaction.MarkAsync(marking, lockPatience, CancellationToken.None);
        RequireEveryRow(marking, written);
        await transaction.CommitAsync(CancellationToken.None);
        // What wrote nothing is committed on a full disk too.
        if (planned.Length > 0) writes.NoteCommitted();
        GrainTelemetry.Committed(marking, written, batch.Length, Stopwatch.GetElapsedTime(started));

        var jobs = marking.NewestJobs();
        foreach (var verdict in verdicts) verdict.AnswerAfterCommit(jobs, written);
        _runs.Keep(marking.JobsThatMayBeDone);
    }

    /// <summary>
    /// Opens the rows of the runs (committed on their own, so that two silos do not wait for each other's batches) and
    /// holds them open. What was closed meanwhile is replaced by a catch-up run.
    /// </summary>
    private async Task<MarkingBatch> OpenJobsAsync(
        WatermarkTransaction transaction, PlannedAgency[] planned, Instant now)
    {
        var marking = MarkingBatch.Of(planned, now, Duration.FromTimeSpan(options.RunLimit));
        if (marking.Rows.Count == 0) return marking;

        await jobsLog.OpenAsync(marking.Jobs, now, CancellationToken.None);
        var open = await transaction.ShareOpenJobsAsync(marking.Jobs, CancellationToken.None);
        if (open.Count == marking.Jobs.Count) return marking;

        marking = marking.WithoutClosed(open);
        await jobsLog.OpenAsync(marking.Jobs, now, CancellationToken.None);
        open = await transaction.ShareOpenJobsAsync(marking.Jobs, CancellationToken.None);
        return open.Count == marking.Jobs.Count
            ? marking
            : throw new TimeoutException("The run was closed while it was being opened.");
    }

    /// <summary>
    /// A date whose row is there already, though the watermark says unserved, must not be marked unrecorded.
    /// </summary>
    private static void RequireEveryRow(MarkingBatch marking, WrittenBatch written)
    {
        foreach (var row in marking.Rows)
        {
            if (written.Busy.Contains(row.Agency.Agency)) continue;
            if (!written.Counts.ContainsKey((row.Agency.Agency, row.Run.Cutoff.Date)))
            {
                throw new InvalidOperationException(
                    $"The ledger says that {row.Run.Cutoff.Date:uuuu-MM-dd} was served for agency {row.Agency.Agency}, "
                    + $"but its watermark stands at {row.Agency.LastDate:uuuu-MM-dd}.");
            }
        }
    }

    /// <summary>
    /// After a batch: has the coordinator look at the runs that may be done. What it cannot be told the sweep finds.
    /// </summary>
    /// <param name="isLast">Nobody waits for a batch.</param>
    [SuppressMessage("Design", "CA1031", Justification = "A worker goes on, whatever became of a word to another.")]
    private void Nudge(bool isLast)
    {
        try
        {
            var coordinator = grains.GetGrain<ICoordinatorGrain>(JobNames.UpdateInstallmentStatuses);
            foreach (var (run, trace) in _runs.TakeAfterBatch(isLast))
            {
                using var activity = GrainTelemetry.StartNudge(trace);
                coordinator.JobMayBeDoneAsync(run).Ignore();
            }
        }
        catch (Exception error)
        {
            LogNotTold(error);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "The coordinator was not told that runs may be done; its sweep finds them")]
    private partial void LogNotTold(Exception error);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "A batch of {Agencies} agencies failed; looking for the one that spoils it")]
    private partial void LogHalving(int agencies, Exception error);
}
