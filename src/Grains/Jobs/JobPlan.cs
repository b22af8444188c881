using Actors.Grains.Cutoffs;
using Actors.Grains.Interfaces;
using NodaTime;

namespace Actors.Grains.Jobs;

/// <summary>A row of `jobs_log` as it is opened.</summary>
/// <param name="CutoffAt">The instant it serves; null for a catch-up wave, or a run that somebody asked for.</param>
/// <param name="AgenciesAsked">How many agencies a run of all is for; null for any other.</param>
internal sealed record JobPlan(
    JobId Id, RunTrigger Trigger, Instant? CutoffAt = null, string? RequestedBy = null, string? Reason = null,
    int? AgenciesAsked = null)
{
    /// <summary>
    /// Under which row a ledger row stands. A reminder writes under the row of its cutoff instant, but only while that
    /// row may still be open; what it finds left over from earlier dates is catching up.
    /// </summary>
    /// <param name="run">The ledger row.</param>
    /// <param name="isNewest">Whether it is the last of its agency's plan.</param>
    /// <param name="request">What started the run.</param>
    /// <param name="now">The database's clock, which also names a catch-up row.</param>
    /// <param name="runLimit">How long a run may stay open.</param>
    public static JobPlan For(PlannedRun run, bool isNewest, RunRequest request, Instant now, Duration runLimit) =>
        (request.Trigger, request.Job) switch
        {
            (RunTrigger.Reminder, _) when isNewest && now - run.Cutoff.At < runLimit => ForCutoff(run.Cutoff.At),
            (RunTrigger.Reminder, _) or (_, null) => ForCatchUp(now),
            var (trigger, job) => new JobPlan(job.Value, trigger, null, request.RequestedBy, request.Reason),
        };

    public static JobPlan ForCutoff(Instant cutoffAt) =>
        new(JobIds.ForCutoff(JobNames.UpdateInstallmentStatuses, cutoffAt), RunTrigger.Reminder, cutoffAt);

    public static JobPlan ForCatchUp(Instant foundAt) =>
        new(JobIds.ForCatchUp(JobNames.UpdateInstallmentStatuses, foundAt), RunTrigger.CatchUp);
}
