using Actors.Grains.Interfaces;
using Microsoft.Extensions.Logging;

namespace Actors.Grains.Jobs;

/// <summary>
/// The runs: sends out one that somebody asks for, and closes the rows of those that are done.
/// </summary>
internal sealed partial class CoordinatorGrain
{
    private const string TooManyWait =
        "Many runs wait for their turn already. Ask again when they are done.";

    /// <summary>How long a run that is to be closed waits for an alert that somebody holds.</summary>
    private static readonly TimeSpan AlertPatience = TimeSpan.FromSeconds(2);

    /// <summary>The same, where another has waited.</summary>
    private static readonly TimeSpan LittlePatience = TimeSpan.FromMilliseconds(50);

    private readonly RunTurns _turns = new(atOnce: 2, mostWaiting: 100);

    public async Task<RunAllResult> RunAllAsync(RunAllRequest request)
    {
        // Who asks again while the run is being sent out shares its end.
        if (_runs.TryGetValue(request.Job, out var underWay)) return await underWay;
        // Says nothing of the run itself: an earlier attempt may have begun it, or ended it.
        if (!_turns.HasRoom) throw new GatewayTooBusyException(TooManyWait);
        // Each reaches every agency: a few after one another are as fast as many at once, and leave room for cutoffs.
        var run = _turns.TakeAsync(() => RunOnceAsync(request));
        _runs.Add(request.Job, run);
        try
        {
            return await run;
        }
        finally
        {
            _runs.Remove(request.Job);
        }
    }

    /// <summary>
    /// A run that is closed is answered as it stands; one that a lost silo has left open goes on with the agencies that
    /// have no row of it yet.
    /// </summary>
    private async Task<RunAllResult> RunOnceAsync(RunAllRequest request)
    {
        if (await jobsLog.IsClosedAsync(request.Job, _stop))
            return await jobsLog.ResultOfAsync(request.Job, [], _stop);

        var (agencies, now) = await store.AgenciesToRunAsync(request, _stop);
        var job = new JobPlan(
            request.Job, RunTrigger.Api, null, request.RequestedBy, request.Reason, agencies.Count);
        var run = new RunRequest(RunTrigger.Api, job.Id, request.RequestedBy, request.Reason);
        IReadOnlyList<AgencyFailure> unrecorded = [];
        await WhileDispatchingAsync(job.Id, async () =>
        {
            await jobsLog.OpenAsync([job], now, _stop);
            unrecorded = await dispatch.AskAsync(agencies, run, _stop);
            await jobsLog.NoteAllReachedAsync(job.Id, _stop);
            await CloseSentOutAsync(job.Id, unrecorded);
        });
        return await jobsLog.ResultOfAsync(job.Id, unrecorded, _stop);
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
                await CloseAsync(job, AlertPatience);
            }
            while (_closing[job]);
        }
        catch (Exception error) when (DatabaseErrors.IsTransient(error) || _stop.IsCancellationRequested)
        {
            // The row is still open, and the next sweep looks at every open row.
            if (!_stop.IsCancellationRequested) LogSweepFailed(error.Message);
        }
        finally
        {
            _closing.Remove(job);
        }
    }

    /// <summary>
    /// Nobody else closes the run meanwhile: whoever sent it out alone knows the failures that could not be recorded.
    /// </summary>
    private async Task WhileDispatchingAsync(JobId job, Func<Task> work)
    {
        _dispatching.Add(job);
        try
        {
            await work();
        }
        finally
        {
            _dispatching.Remove(job);
        }
    }

    /// <summary>
    /// Closes every open run that is done, has lasted for its limit, or whose dispatcher is gone. One that this grain
    /// is dispatching is left alone.
    /// </summary>
    private async Task<int> CloseOpenJobsAsync()
    {
        var closed = 0;
        var patience = AlertPatience;
        var kept = _untold.Keys.ToArray();
        var open = await jobsLog.OpenJobsAsync(_stop);
        // Whoever else has closed them has told what he knew. There may be more of them than were read.
        if (open.Count < JobsLog.OpenJobsAtMost)
            foreach (var done in kept.Except(open)) _untold.Remove(done);
        foreach (var job in open)
        {
            if (_dispatching.Contains(job) || _closing.ContainsKey(job)) continue;
            var end = await CloseQuietlyAsync(job, patience);
            if (end == Closing.Closed) closed++;
            // Runs that were late share an alert: what the first has waited for in vain the others do not wait for.
            if (end == Closing.IsHeld) patience = LittlePatience;
        }

        return closed;
    }

    /// <summary>
    /// Closes a run that was sent out, with what failed. That is kept until it is closed, by whomever: without it the
    /// run would be a success.
    /// </summary>
    private Task<Closing> CloseSentOutAsync(JobId job, IReadOnlyList<AgencyFailure> failures)
    {
        if (failures.Count > 0) _untold[job] = failures;
        else _untold.Remove(job);
        return CloseQuietlyAsync(job, AlertPatience);
    }

    /// <summary>
    /// A row that cannot be closed, as where somebody holds its alert, must not keep the others from it: the next sweep
    /// tries again.
    /// </summary>
    private async Task<Closing> CloseQuietlyAsync(JobId job, TimeSpan patience)
    {
        try
        {
            return await CloseAsync(job, patience) ? Closing.Closed : Closing.GoesOn;
        }
        catch (Npgsql.PostgresException error) when (
            DatabaseErrors.IsLockTimeout(error) || !DatabaseErrors.IsTransient(error))
        {
            LogNotClosed(job.Value, error.MessageText);
            return DatabaseErrors.IsLockTimeout(error) ? Closing.IsHeld : Closing.GoesOn;
        }
    }

    private async Task<bool> CloseAsync(JobId job, TimeSpan patience)
    {
        var failures = _untold.GetValueOrDefault(job, []);
        if (await jobsLog.CloseAsync(job, options.RunLimit, failures, patience, _stop) is not { } run) return false;
        _untold.Remove(job);
        var what = run.CutoffAt is { } at ? $"cutoff at {at:uuuu-MM-dd'T'HH:mm:ss'Z'}" : $"run by {run.Trigger}";
        if (run.Error is null) LogClosed(what, run.Agencies, run.RecordsUpdated, job.Value);
        else LogFailed(what, run.Agencies, run.RecordsUpdated, job.Value, run.Error);
        return true;
    }

    private enum Closing
    {
        Closed,

        /// <summary>Also where it was closed before, or cannot be.</summary>
        GoesOn,

        /// <summary>Somebody holds the alert that it has to raise.</summary>
        IsHeld,
    }

    [LoggerMessage(Level = LogLevel.Information,
        Message = "Done: {Run}; agencies: {Agencies}, installments that became overdue: {Installments} (job {Job})")]
    private partial void LogClosed(string run, int agencies, int installments, Guid job);

    [LoggerMessage(Level = LogLevel.Error,
        Message = "Failed: {Run}; agencies: {Agencies}, installments that became overdue: {Installments} (job {Job}): "
            + "{Error}")]
    private partial void LogFailed(string run, int agencies, int installments, Guid job, string error);

    [LoggerMessage(Level = LogLevel.Error, Message = "The run {Job} cannot be closed by this sweep: {Error}")]
    private partial void LogNotClosed(Guid job, string error);
}
