using Actors.Grains.Cutoffs;
using Actors.Grains.Interfaces;
using Actors.Grains.Jobs;
using NodaTime;

namespace Actors.Grains.Installments;

/// <summary>One agency of a batch: what is asked for it, and the plan that was made for it under its lock.</summary>
internal sealed record PlannedAgency(AgencyPlan Plan, RunRequest Request);

/// <summary>One ledger row of a batch, with the run that it stands under.</summary>
internal sealed record PlannedRow(AgencyState Agency, PlannedRun Run, JobPlan Job, RunRequest Request)
{
    /// <summary>
    /// Lateness counts from the later of the cutoff and the last change of settings; a new agency has none.
    /// </summary>
    public Duration? LateBy(Instant now) => Run.Serves && Agency.LastDate is not null
        ? Duration.Max(Duration.Zero, now - Instant.Max(Run.Cutoff.At, Agency.SettingsChangedAt))
        : null;

    /// <summary>
    /// Reminder, unless the row stands under a catch-up: then the reminder only happened to find it.
    /// </summary>
    public RunTrigger Trigger => Job.Trigger == RunTrigger.CatchUp && Request.Trigger == RunTrigger.Reminder
        ? RunTrigger.CatchUp
        : Request.Trigger;
}

/// <summary>All that one transaction writes; a pure value, made between its two statements.</summary>
/// <param name="Now">The database's clock in this transaction.</param>
internal sealed record MarkingBatch(IReadOnlyList<PlannedAgency> Agencies, IReadOnlyList<PlannedRow> Rows, Instant Now)
{
    public IReadOnlyCollection<JobPlan> Jobs => Rows.Select(row => row.Job).DistinctBy(job => job.Id).ToArray();

    /// <summary>
    /// The runs that the coordinator is to look at after the commit: not a wave of its own, nor a run whose agency has
    /// further dates for its next wave, which would find it closed.
    /// </summary>
    public IEnumerable<JobId> JobsThatMayBeDone
    {
        get
        {
            var unfinished = Agencies.Where(agency => agency.Plan.More)
                .Select(agency => agency.Plan.State.Agency)
                .ToHashSet();
            return Rows.Where(row => row.Job.Trigger != RunTrigger.CatchUp)
                .GroupBy(row => row.Job.Id)
                .Where(job => !job.Any(row => unfinished.Contains(row.Agency.Agency)))
                .Select(job => job.Key);
        }
    }

    /// <summary>The run under which each agency's newest row stands; agencies without a row are not in it.</summary>
    public IReadOnlyDictionary<AgencyId, JobId> NewestJobs()
    {
        var newest = new Dictionary<AgencyId, JobId>(Agencies.Count);
        foreach (var row in Rows) newest[row.Agency.Agency] = row.Job.Id;
        return newest;
    }

    public static MarkingBatch Of(IReadOnlyList<PlannedAgency> agencies, Instant now, Duration runLimit) => new(
        agencies,
        [.. agencies.SelectMany(agency => agency.Plan.Runs.Select((run, index) => new PlannedRow(
            agency.Plan.State,
            run,
            JobPlan.For(run, index == agency.Plan.Runs.Count - 1, agency.Request, now, runLimit),
            agency.Request)))],
        now);

    /// <summary>
    /// Moves the rows of runs that were closed meanwhile under a catch-up run: no run is ever reopened.
    /// </summary>
    public MarkingBatch WithoutClosed(IReadOnlySet<JobId> open) => this with
    {
        Rows = [.. Rows.Select(row => open.Contains(row.Job.Id) ? row : row with { Job = JobPlan.ForCatchUp(Now) })],
    };
}
