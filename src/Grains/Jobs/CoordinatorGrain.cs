using Actors.Grains.Interfaces;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using NodaTime;

namespace Actors.Grains.Jobs;

/// <summary>
/// Who is authoritative: the database. Each agency's watermark (`agency_cutoffs`) says how far it was served, its
/// ledger (`agency_runs`) how, and `jobs_log` which runs there were. This grain holds nothing that two queries cannot
/// rebuild but failures that nobody could record, and no marking waits for it.
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
    HistoryStore history,
    JobsLog jobsLog,
    AgencyDispatch dispatch,
    GrainOptions options,
    ILocalSiloDetails silo,
    [FromKeyedServices(TimeProviderNames.Grains)] TimeProvider time,
    ILogger<CoordinatorGrain> logger) : Grain(context), ICoordinatorGrain, IRemindable, IDisposable
{
    private const string ReminderName = "sweep";

    /// <summary>
    /// The least period that Orleans allows; the timer does the sweeping, this only brings the grain back.
    /// </summary>
    private static readonly TimeSpan ReminderPeriod = TimeSpan.FromMinutes(1);

    /// <summary>By the database's clock, from one sweep to another.</summary>
    private static readonly Duration RepairPeriod = Duration.FromMinutes(1);

    /// <summary>Agencies that are well answer in less, and those that somebody holds in more.</summary>
    private static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan HistoryPeriod = TimeSpan.FromHours(1);

    /// <summary>A coordinator that starts has more urgent things to do.</summary>
    private static readonly TimeSpan FirstHistory = TimeSpan.FromMinutes(1);

    /// <summary>Waves in one sweep; a sweep that finds more leaves the rest to the next.</summary>
    private const int WavesAtMost = 100;

    /// <summary>Each as often as it is being sent out.</summary>
    private readonly List<JobId> _dispatching = [];

    /// <summary>The agencies that a sweep has asked, and that have not answered yet.</summary>
    private readonly Dictionary<AgencyId, AskedAgencies> _underWay = [];

    private readonly Dictionary<JobId, bool> _closing = [];

    /// <summary>What failed in runs that are not closed yet; the ledger need not know it.</summary>
    private readonly Dictionary<JobId, IReadOnlyList<AgencyFailure>> _untold = [];
    private readonly Dictionary<JobId, Task<RunAllResult>> _runs = [];
    private readonly CancellationTokenSource _stopping = new();

    /// <summary>Can still be asked by what ends after the grain, when its source is disposed.</summary>
    private CancellationToken _stop;
    private Task<Task<SweepResult>>? _sweep;
    private Task<Task<SweepResult>>? _nextSweep;
    private IGrainTimer? _sweeping;
    private Instant? _repairedAt;
    private Instant _sweptAt = Instant.MinValue;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _stop = _stopping.Token;
        _sweeping = this.RegisterGrainTimer(
            static (grain, _) => grain.SweepQuietlyAsync(), this,
            new GrainTimerCreationOptions
            {
                DueTime = TimeSpan.Zero,
                Period = options.SweepPeriod,
                Interleave = true,
                KeepAlive = true,
            });
        this.RegisterGrainTimer(
            static (grain, _) => grain.DeleteOldHistoryAsync(), this,
            new GrainTimerCreationOptions { DueTime = FirstHistory, Period = HistoryPeriod, Interleave = true });
        return Task.CompletedTask;
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        GrainTelemetry.SweepsNoMore();
        _turns.EndWaiting();
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
        try
        {
            return await await SendOutAsync();
        }
        catch (Exception error) when (DatabaseErrors.IsTransient(error) || _stop.IsCancellationRequested)
        {
            // Whoever asked may not ask again: what a nudge tells comes once.
            SweepSoonAgain(error);
            throw;
        }
    }

    /// <summary>
    /// Ends when all that the sweep found has been asked, with what ends when all of it has answered. Whoever comes
    /// after the first of the two gets a new sweep at once: one agency that takes long keeps no other waiting.
    /// </summary>
    private Task<Task<SweepResult>> SendOutAsync()
    {
        // The sweep that is under way may have looked already: whoever comes meanwhile shares the one after it.
        if (_nextSweep is not null || _sweep is { IsCompleted: false })
            return _nextSweep ??= SendOutAfterAsync(_sweep!);
        return _sweep = SendWavesAsync();
    }

    private async Task<Task<SweepResult>> SendOutAfterAsync(Task current)
    {
        await current.ConfigureAwait(
            ConfigureAwaitOptions.ContinueOnCapturedContext | ConfigureAwaitOptions.SuppressThrowing);
        _sweep = _nextSweep;
        _nextSweep = null;
        return await SendWavesAsync();
    }

    /// <summary>The timer's, which does not come again before this ends: so it does not wait for answers.</summary>
    private async Task SweepQuietlyAsync()
    {
        _comesAgainAfter = null;
        try
        {
            FinishQuietlyAsync(await SendOutAsync()).Ignore();
        }
        catch (Exception error) when (DatabaseErrors.IsTransient(error) || _stop.IsCancellationRequested)
        {
            SweepSoonAgain(error);
        }
    }

    private async Task FinishQuietlyAsync(Task<SweepResult> sweep)
    {
        try
        {
            await sweep;
        }
        catch (Exception error)
        {
            // The rows of the runs are still open, and the next sweep looks at every open row.
            SweepSoonAgain(error);
        }
    }

    private async Task<Task<SweepResult>> SendWavesAsync()
    {
        // A silo of another version may write instants by another TZDB at any time.
        if (_repairedAt is not { } at || _sweptAt < at || _sweptAt - at >= RepairPeriod)
        {
            await store.RepairAsync(_stop);
            _repairedAt = _sweptAt;
        }

        // Agencies give up 7 s after their cutoffs, and would otherwise be found when they are 10 s late. Who says so
        // while this looks is found by the next.
        var ticksMayBeLost = _ticksMayBeLost;
        _ticksMayBeLost = false;
        var lateAfter = ticksMayBeLost ? LateAfterTrouble : Duration.FromTimeSpan(options.LateAfter);
        var waves = new List<Wave>();
        while (waves.Count < WavesAtMost)
        {
            foreach (var asked in _underWay.Values) asked.PassOver();
            if (await store.FindAsync(silo.Name, lateAfter, _underWay, _stop) is not { } finding)
            {
                // Somebody else sweeps, who may have looked before this was asked; or holds the lock and is dead.
                _ticksMayBeLost |= ticksMayBeLost;
                SweepAgain(SoonAgain);
                break;
            }

            _sweptAt = finding.At;
            var wave = Send(finding);
            waves.Add(wave);
            AskMoreWhileNobodyAnswersAsync(wave.Asking).Ignore();
            await wave.Asking.Sent;
            // A wave that was not full was the last; where nothing but failures comes the next would find the same.
            if (finding.Agencies.Count < options.WaveSize) break;
            if (waves.All(sent => sent.Asking.Done == 0) && waves.Any(sent => sent.Asking.Failed > 0)) break;
        }

        return FinishAsync(waves, waves.Count == 0 ? 0 : await CloseOpenJobsAsync());
    }

    /// <summary>Waits for all that were asked, and closes what is done then.</summary>
    private async Task<SweepResult> FinishAsync(IReadOnlyList<Wave> waves, int closed)
    {
        var failed = 0;
        foreach (var wave in waves) failed += await wave.Failed;
        var found = waves.Sum(wave => wave.Finding.Agencies.Count);
        // Less than the others where an agency was asked again, and its answer belongs to a later sweep.
        var done = waves.Sum(wave => wave.Asking.Done);
        if (found > 0)
        {
            closed += await CloseOpenJobsAsync();
            LogSwept(found, done, failed);
        }

        return new SweepResult(
            waves.Count == 0 ? Instant.MinValue : waves[0].Finding.At, found, done, failed, closed);
    }

    /// <summary>By a timer of its own, so that no sweep waits for it.</summary>
    private async Task DeleteOldHistoryAsync()
    {
        try
        {
            var rows = await history.DeleteOldAsync(_stop);
            if (rows > 0) LogDeleted(rows, options.Retention);
        }
        catch (Exception error) when (error is Npgsql.NpgsqlException || _stop.IsCancellationRequested)
        {
            // What is too old is still there in an hour.
            if (!_stop.IsCancellationRequested) LogNotDeleted(error.Message);
        }
    }

    /// <summary>
    /// As long as some agencies of a wave answer, the others have their turn soon; where none does, it is by no fault
    /// of those that are still to be asked. It runs beside the wait for the wave, which ends in this grain's turns.
    /// </summary>
    private async Task AskMoreWhileNobodyAnswersAsync(AgencyAsking asking)
    {
        while (!asking.Sent.IsCompleted)
        {
            var answered = asking.Done + asking.Failed;
            await Task.Delay(AnswerPatience, time, CancellationToken.None);
            if (asking.Done + asking.Failed == answered) asking.AskMore();
        }
    }

    /// <summary>Asks one wave to bring itself up to date under a run of its own.</summary>
    private Wave Send(SweepFinding finding)
    {
        var job = JobPlan.ForCatchUp(finding.At);
        var request = new RunRequest(RunTrigger.CatchUp, job.Id);
        var asking = dispatch.Begin(
            finding.Agencies, request, FailuresToTell.Lasting,
            new AskedAgencies(finding.At, SweepVerySoon, NoteUnserved), _underWay, _stop);
        return new Wave(finding, asking, CloseWhenAnsweredAsync(job, finding, asking));
    }

    /// <summary>Closes the run of a wave when all of it has answered, and answers how many failed.</summary>
    private async Task<int> CloseWhenAnsweredAsync(JobPlan job, SweepFinding finding, AgencyAsking asking)
    {
        if (finding.Agencies.Count == 0) return 0;
        await WhileDispatchingAsync(job.Id, async () =>
        {
            var failures = await asking.Answered;
            // Where nothing but failures came of it, nobody may have opened its row.
            if (failures.Count > 0) await jobsLog.OpenAsync([job], finding.At, _stop);
            await CloseSentOutAsync(job.Id, failures);
        });
        return asking.Failed;
    }

    [LoggerMessage(Level = LogLevel.Information,
        Message = "Swept: agencies that were new, changed or late: {Found}; now up to date: {Done}, failed: {Failed}")]
    private partial void LogSwept(int found, int done, int failed);

    [LoggerMessage(Level = LogLevel.Information, Message = "Rows of history removed, older than {Retention}: {Rows}")]
    private partial void LogDeleted(int rows, TimeSpan? retention);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Old history could not be removed: {Error}")]
    private partial void LogNotDeleted(string error);

    /// <summary>What one look of a sweep found, and has asked.</summary>
    /// <param name="Failed">Ends when its run is closed: how many failed.</param>
    private sealed record Wave(SweepFinding Finding, AgencyAsking Asking, Task<int> Failed);
}
