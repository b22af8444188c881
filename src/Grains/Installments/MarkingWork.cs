using System.Diagnostics;
using Actors.Grains.Cutoffs;
using Actors.Grains.Interfaces;
using NodaTime;

namespace Actors.Grains.Installments;

/// <summary>A request that waits for its batch, and the promise of its answer.</summary>
internal sealed record MarkingWork(AgencyId Agency, RunRequest Request)
{
    /// <summary>The trace that asked: the batch, which runs elsewhere, names it.</summary>
    public ActivityContext RequestedIn { get; } = Activity.Current?.Context ?? default;

    public TaskCompletionSource<MarkingAnswer> Answer { get; } =
        new(TaskCreationOptions.RunContinuationsAsynchronously);
}

/// <summary>
/// What is to become of one request of a batch, decided under the lock: a plan, an answer that needs no writing, or an
/// exception.
/// </summary>
internal sealed class MarkingVerdict
{
    private readonly MarkingWork _work;
    private readonly Instant _now;
    private readonly MarkingAnswer? _answer;
    private readonly Exception? _error;

    private MarkingVerdict(
        MarkingWork work, Instant now, PlannedAgency? planned, MarkingAnswer? answer, Exception? error) =>
        (_work, _now, Planned, _answer, _error) = (work, now, planned, answer, error);

    /// <summary>The plan; null where an answer or an exception is ready without one.</summary>
    public PlannedAgency? Planned { get; }

    public static MarkingVerdict On(MarkingWork work, LockedAgencies locked, GrainOptions options)
    {
        if (locked.Busy.Contains(work.Agency))
            return Failed(new AgencyIsHeldException(work.Agency));
        if (!locked.States.TryGetValue(work.Agency, out var state))
            return Ready(AgencyRunOutcome.NotFound);
        if (state.IsPaused) return Ready(AgencyRunOutcome.Paused);
        if (ZoneCatalogue.Find(state.Timezone) is not { } zone)
            return Failed(new UnknownTimezoneException(state.Timezone));

        var clock = new CutoffClock(zone, state.CutoffTime);
        var asked = work.Request.Trigger == RunTrigger.Api;
        var plan = AgencyPlan.Decide(state, clock, locked.Now, asked, options.DatesPerTransaction);
        return new MarkingVerdict(work, locked.Now, new PlannedAgency(plan, work.Request), null, null);

        MarkingVerdict Ready(AgencyRunOutcome outcome) =>
            new(work, locked.Now, null, MarkingAnswer.Nothing(outcome, locked.Now), null);

        MarkingVerdict Failed(Exception error) => new(work, locked.Now, null, null, error);
    }

    /// <summary>Ends the request, now that the transaction is committed.</summary>
    public void AnswerAfterCommit(IReadOnlyDictionary<AgencyId, JobId> jobs, WrittenBatch written)
    {
        if (_error is not null) _work.Answer.TrySetException(_error);
        else if (_answer is not null) _work.Answer.TrySetResult(_answer);
        else if (written.Busy.Contains(_work.Agency))
            _work.Answer.TrySetException(new AgencyIsBusyException(
                $"installments of agency {_work.Agency} are locked by another transaction"));
        else _work.Answer.TrySetResult(AnswerTo(Planned!.Plan, jobs, written));
    }

    private MarkingAnswer AnswerTo(
        AgencyPlan plan, IReadOnlyDictionary<AgencyId, JobId> jobs, WrittenBatch written) => new(
        plan.Runs.Count == 0 ? AgencyRunOutcome.NothingUnserved : AgencyRunOutcome.UpToDate,
        jobs.TryGetValue(_work.Agency, out var job) ? job : null,
        [.. plan.Runs.Select(run => new ServedCutoff(
            run.Cutoff.Date, run.Cutoff.At, run.Serves, written.Counts[(_work.Agency, run.Cutoff.Date)]))],
        _now,
        plan.Next.At,
        plan.MovesNextCutoff,
        plan.More);
}
