using Actors.Grains.Interfaces;
using Microsoft.Extensions.Logging;
using NodaTime;

namespace Actors.Grains.Jobs;

/// <summary>
/// Who is authoritative: the database. Each agency's watermark (`agency_cutoffs`) says how far it was served, its
/// ledger (`agency_runs`) how, and `jobs_log` which runs there were. This grain holds nothing that two queries cannot
/// rebuild, and no marking waits for it.
/// <para>
/// What it does: it closes the rows of `jobs_log` when no agency of a run is left, and it sweeps, at its start and then
/// every <see cref="GrainOptions.SweepPeriod"/>, for what no reminder served: cutoffs that passed while no silo ran, a
/// tick that was lost or whose handler failed, agencies that are new or changed. Its own reminder brings it back when
/// its silo is gone; until then reminders go on marking.
/// </para>
/// <para>
/// What a lost silo means: runs it was writing were rolled back or are committed, never half of one; their watermarks
/// tell which. Runs it was to close are closed by the next sweep, with what the ledger says.
/// </para>
/// <para>
/// What may run twice, and why that is harmless: two coordinators (after a partition) both sweep, but a sweep takes an
/// advisory lock, and an agency that is already up to date finds nothing to do. A run is closed once: its row is
/// locked, and only an open one is closed. A run that is closed early costs nothing but a second row: whoever comes
/// later finds it closed and writes under a catch-up run.
/// </para>
/// </summary>
[GrainType("coordinator")]
internal sealed partial class CoordinatorGrain(
    IGrainContext context,
    SweepStore store,
    JobsLog jobsLog,
    GrainOptions options,
    ILocalSiloDetails silo,
    ILogger<CoordinatorGrain> logger) : Grain(context), ICoordinatorGrain, IRemindable, IDisposable
{
    private const string ReminderName = "sweep";

    /// <summary>
    /// The least period that Orleans allows; the timer does the sweeping, this only brings the grain back.
    /// </summary>
    private static readonly TimeSpan ReminderPeriod = TimeSpan.FromMinutes(1);

    /// <summary>Waves in one sweep; a sweep that finds more leaves the rest to the next.</summary>
    private const int WavesAtMost = 100;

    private readonly HashSet<JobId> _dispatching = [];
    private readonly Dictionary<JobId, bool> _closing = [];
    private readonly CancellationTokenSource _stopping = new();
    private Task<SweepResult>? _sweep;
    private Task<SweepResult>? _nextSweep;
    private bool _repaired;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        this.RegisterGrainTimer(
            static (grain, _) => grain.SweepQuietlyAsync(), this,
            new GrainTimerCreationOptions
            {
                DueTime = TimeSpan.Zero,
                Period = options.SweepPeriod,
                Interleave = true,
                KeepAlive = true,
            });
        return Task.CompletedTask;
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        GrainTelemetry.SweepsNoMore();
        return _stopping.CancelAsync();
    }

    public void Dispose() => _stopping.Dispose();

    public async Task StartAsync() =>
        await this.RegisterOrUpdateReminder(ReminderName, ReminderPeriod, ReminderPeriod);

    /// <summary>Nothing to do: the tick has activated the grain, and activation has started the timer.</summary>
    public Task ReceiveReminder(string reminderName, TickStatus status) => Task.CompletedTask;

    public Task ReceiveReminder(string reminderName, TickStatus status, CancellationToken cancellationToken) =>
        Task.CompletedTask;

    public async Task<SweepResult> SweepAsync()
    {
        // The sweep that is under way may have looked already: whoever comes meanwhile shares the one after it.
        if (_nextSweep is not null || _sweep is { IsCompleted: false })
            return await (_nextSweep ??= SweepAfterAsync(_sweep!));
        _sweep = SweepWavesAsync();
        return await _sweep;
    }

    private async Task<SweepResult> SweepAfterAsync(Task current)
    {
        await current.ConfigureAwait(
            ConfigureAwaitOptions.ContinueOnCapturedContext | ConfigureAwaitOptions.SuppressThrowing);
        _sweep = _nextSweep;
        _nextSweep = null;
        return await SweepWavesAsync();
    }

    public async Task<RunAllResult> RunAllAsync(RunAllRequest request)
    {
        var (agencies, now) = await store.AllAgenciesAsync(_stopping.Token);
        var job = new JobPlan(
            request.Job, RunTrigger.Api, null, request.RequestedBy, request.Reason, agencies.Count);
        var run = new RunRequest(RunTrigger.Api, job.Id, request.RequestedBy, request.Reason);
        IReadOnlyList<AgencyFailure> unrecorded = [];
        await WhileDispatchingAsync(job.Id, async () =>
        {
            await jobsLog.OpenAsync([job], now, _stopping.Token);
            unrecorded = await DispatchAsync(agencies, run);
            await jobsLog.NoteAllReachedAsync(job.Id, _stopping.Token);
            await CloseAsync(job.Id, unrecorded);
        });
        return await jobsLog.ResultOfAsync(job.Id, unrecorded, _stopping.Token);
    }

    public async Task JobMayBeDoneAsync(JobId job)
    {
        // One look at a time for each run; a word that comes meanwhile asks for one more look after it.
        if (_dispatching.Contains(job) || !_closing.TryAdd(job, false))
        {
            if (_closing.ContainsKey(job)) _closing[job] = true;
            return;
        }

        try
        {
            do
            {
                _closing[job] = false;
                await CloseAsync(job, []);
            }
            while (_closing[job]);
        }
        catch (Exception error) when (DatabaseErrors.IsTransient(error) || _stopping.IsCancellationRequested)
        {
            // The row is still open, and the next sweep looks at every open row.
            LogSweepFailed(error.Message);
        }
        finally
        {
            _closing.Remove(job);
        }
    }

    private async Task SweepQuietlyAsync()
    {
        try
        {
            await SweepAsync();
        }
        catch (Exception error) when (DatabaseErrors.IsTransient(error) || _stopping.IsCancellationRequested)
        {
            LogSweepFailed(error.Message);
        }
    }

    private async Task<SweepResult> SweepWavesAsync()
    {
        if (!_repaired) await store.RepairAsync(_stopping.Token);
        _repaired = true;

        var total = new SweepResult(Instant.MinValue, 0, 0, 0, 0);
        for (var wave = 0; wave < WavesAtMost; wave++)
        {
            if (await store.FindAsync(silo.Name, _stopping.Token) is not { } finding) break;
            var failed = finding.Agencies.Count == 0 ? 0 : await CatchUpAsync(finding);
            total = new SweepResult(
                wave == 0 ? finding.At : total.At,
                total.AgenciesFound + finding.Agencies.Count,
                total.AgenciesBroughtUpToDate + finding.Agencies.Count - failed,
                total.AgenciesFailed + failed,
                total.JobsClosed + await CloseOpenJobsAsync());
            // A wave that was not full was the last; one of which nothing succeeded would find the same again.
            if (finding.Agencies.Count < options.WaveSize || failed == finding.Agencies.Count) break;
        }

        if (total.AgenciesFound > 0) LogSwept(total.AgenciesFound, total.AgenciesBroughtUpToDate, total.AgenciesFailed);
        return total;
    }

    /// <summary>Brings one wave up to date under a run of its own, and answers how many failed.</summary>
    private async Task<int> CatchUpAsync(SweepFinding finding)
    {
        var job = JobPlan.ForCatchUp(finding.At);
        var request = new RunRequest(RunTrigger.CatchUp, job.Id);
        IReadOnlyList<AgencyFailure> failures = [];
        await WhileDispatchingAsync(job.Id, async () =>
        {
            failures = await DispatchAsync(finding.Agencies, request, allFailures: true);
            // Where nothing but failures came of it, nobody may have opened its row.
            if (failures.Count > 0) await jobsLog.OpenAsync([job], finding.At, _stopping.Token);
            await CloseAsync(job.Id, failures);
        });
        return failures.Count;
    }

    /// <summary>
    /// Nobody else closes the run meanwhile: whoever sent it out alone knows the failures that could not be recorded.
    /// </summary>
    private async Task WhileDispatchingAsync(JobId job, Func<Task> dispatch)
    {
        _dispatching.Add(job);
        try
        {
            await dispatch();
        }
        finally
        {
            _dispatching.Remove(job);
        }
    }

    /// <summary>
    /// Asks every agency's grain, some hundred at once, and answers the failures that the ledger does not know (or all
    /// of them).
    /// </summary>
    private async Task<IReadOnlyList<AgencyFailure>> DispatchAsync(
        IReadOnlyList<AgencyId> agencies, RunRequest request, bool allFailures = false)
    {
        var failures = new List<AgencyFailure>();
        var next = 0;
        var asking = Math.Min(options.AgenciesInFlight, agencies.Count);
        await Task.WhenAll(Enumerable.Range(0, asking).Select(_ => AskInTurnAsync()));
        return failures;

        // Runs in this grain's turns, so that the list and the place in it need no lock.
        async Task AskInTurnAsync()
        {
            while (next < agencies.Count)
            {
                _stopping.Token.ThrowIfCancellationRequested();
                await AskAsync(agencies[next++]);
            }
        }

        async Task AskAsync(AgencyId agency)
        {
            try
            {
                var result = await GrainFactory.GetGrain<IAgencyGrain>(agency.Value).BringUpToDateAsync(request);
                if (result.Outcome == AgencyRunOutcome.Failed && (allFailures || result.Job is null))
                    failures.Add(new AgencyFailure(agency, result.Error ?? "unknown error"));
            }
            catch (Exception error) when (!_stopping.IsCancellationRequested)
            {
                failures.Add(new AgencyFailure(agency, error.Message));
            }
        }
    }

    /// <summary>
    /// Closes every open run that is done, has lasted for its limit, or whose dispatcher is gone. One that this grain
    /// is dispatching is left alone.
    /// </summary>
    private async Task<int> CloseOpenJobsAsync()
    {
        var closed = 0;
        foreach (var job in await jobsLog.OpenJobsAsync(_stopping.Token))
        {
            if (_dispatching.Contains(job) || _closing.ContainsKey(job)) continue;
            if (await CloseQuietlyAsync(job)) closed++;
        }

        return closed;
    }

    /// <summary>A row that cannot be closed must not keep the others from it.</summary>
    private async Task<bool> CloseQuietlyAsync(JobId job)
    {
        try
        {
            return await CloseAsync(job, []);
        }
        catch (Npgsql.PostgresException error) when (!DatabaseErrors.IsTransient(error))
        {
            LogNotClosed(job.Value, error.MessageText);
            return false;
        }
    }

    private async Task<bool> CloseAsync(JobId job, IReadOnlyList<AgencyFailure> unrecorded)
    {
        if (await jobsLog.CloseAsync(job, options.RunLimit, unrecorded, _stopping.Token) is not { } run) return false;
        var what = run.CutoffAt is { } at ? $"cutoff at {at:uuuu-MM-dd'T'HH:mm:ss'Z'}" : $"run by {run.Trigger}";
        if (run.Error is null) LogClosed(what, run.Agencies, run.RecordsUpdated, job.Value);
        else LogFailed(what, run.Agencies, run.RecordsUpdated, job.Value, run.Error);
        return true;
    }

    [LoggerMessage(Level = LogLevel.Information,
        Message = "Done: {Run}; agencies: {Agencies}, installments that became overdue: {Installments} (job {Job})")]
    private partial void LogClosed(string run, int agencies, int installments, Guid job);

    [LoggerMessage(Level = LogLevel.Error,
        Message = "Failed: {Run}; agencies: {Agencies}, installments that became overdue: {Installments} (job {Job}): "
            + "{Error}")]
    private partial void LogFailed(string run, int agencies, int installments, Guid job, string error);

    [LoggerMessage(Level = LogLevel.Information,
        Message = "Swept: agencies that were new, changed or late: {Found}; now up to date: {Done}, failed: {Failed}")]
    private partial void LogSwept(int found, int done, int failed);

    [LoggerMessage(Level = LogLevel.Error, Message = "The run {Job} cannot be closed: {Error}")]
    private partial void LogNotClosed(Guid job, string error);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "The sweep could not reach the database and will try again: {Error}")]
    private partial void LogSweepFailed(string error);
}
