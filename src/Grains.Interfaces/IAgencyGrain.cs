using NodaTime;
using Orleans.Concurrency;

namespace Actors.Grains.Interfaces;

/// <summary>
/// One agency; its key is <see cref="AgencyId.Value"/>. It owns the agency's persistent reminder and asks for its
/// installments to be marked. It holds no copy of the agency's settings. All that changes something runs one after the
/// other: whoever comes while a run is in flight waits for it.
/// </summary>
[Alias("actors.IAgencyGrain")]
public interface IAgencyGrain : IGrainWithGuidKey
{
    /// <summary>
    /// Serves every cutoff that has passed unserved; where somebody asks (<see cref="RunTrigger.Api"/>), also marks
    /// what became due since. Waits for a run of this agency that is in flight. Transient errors of the database are
    /// retried after 1, 2 and 4 seconds; what fails then is recorded and answered as
    /// <see cref="AgencyRunOutcome.Failed"/>. Harmless when called twice.
    /// </summary>
    [Alias("BringUpToDate"), ResponseTimeout("00:02:00")]
    Task<AgencyRunResult> BringUpToDateAsync(RunRequest request);

    /// <summary>
    /// Does what the agency's reminder does at a cutoff, where nobody knows whether its tick was lost. Returns at once
    /// where a run of this agency is in flight, with its pauses between retries. Harmless when called twice.
    /// </summary>
    [Alias("ServeLostTick"), AlwaysInterleave, ResponseTimeout("00:02:00")]
    Task ServeLostTickAsync();

    /// <summary>
    /// Says what the rule says of this agency, without locking or changing anything, also while a run is in flight.
    /// Null where there is no such agency.
    /// </summary>
    /// <param name="at">The instant it is about, in the past or the future; null for the database's now.</param>
    /// <param name="cutoffs">How many of the next cutoffs to answer; taken to the nearest of 0 to 31.</param>
    [Alias("LookAhead"), AlwaysInterleave]
    Task<CutoffOutlook?> LookAheadAsync(Instant? at, int cutoffs);

    /// <summary>
    /// Lets the agency's dates pass unserved from now on. A run that is in flight ends first. Pausing what is paused
    /// changes nothing and says so.
    /// </summary>
    /// <param name="by">Who asks: the name of a key or a person. It goes into `agency_changes`.</param>
    /// <param name="reason">Why, in the asker's words.</param>
    [Alias("Pause"), ResponseTimeout("00:02:00")]
    Task<PauseOutcome> PauseAsync(string by, string reason);

    /// <summary>
    /// Serves the agency again, and serves or skips the dates that have passed meanwhile. Harmless when it is
    /// interrupted: with skip the agency stays paused until every date has its row, and asking again goes on from
    /// there; with catch-up it is resumed first, and the sweep serves what is left.
    /// </summary>
    /// <param name="by">Who asks: the name of a key or a person. It goes into `agency_changes` and the ledger.</param>
    /// <param name="reason">Why, in the asker's words.</param>
    /// <param name="mode">What is to become of the dates that passed.</param>
    [Alias("Resume"), ResponseTimeout("00:02:00")]
    Task<ResumeResult> ResumeAsync(string by, string reason, ResumeMode mode);

    /// <summary>
    /// Makes pending again what a run of this agency marked, as far as it is still overdue and no later run holds it;
    /// all in one transaction. The agency's next cutoff decides anew. A run is undone at most once.
    /// </summary>
    /// <param name="agencyRun">The run: `agency_runs.id`.</param>
    /// <param name="by">Who asks: the name of a key or a person. It goes into `agency_run_undos`.</param>
    /// <param name="reason">Why, in the asker's words.</param>
    [Alias("UndoRun"), ResponseTimeout("00:02:00")]
    Task<UndoResult> UndoRunAsync(Guid agencyRun, string by, string reason);
}
