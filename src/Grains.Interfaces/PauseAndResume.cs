using NodaTime;

namespace Actors.Grains.Interfaces;

/// <summary>What became of a request to pause an agency.</summary>
[GenerateSerializer, Alias("actors.PauseOutcome")]
public enum PauseOutcome
{
    /// <summary>From now on its dates pass unserved.</summary>
    Paused,

    /// <summary>It was paused before; who did that, when and why stays as it is.</summary>
    AlreadyPaused,

    /// <summary>There is no such agency.</summary>
    NotFound,

    /// <summary>
    /// Another transaction held the agency for longer than some seconds. Nothing was changed; ask again.
    /// </summary>
    Busy,
}

/// <summary>What is to become of the dates that passed while an agency was paused.</summary>
[GenerateSerializer, Alias("actors.ResumeMode")]
public enum ResumeMode
{
    /// <summary>They are served now, each with its row in the ledger.</summary>
    CatchUp,

    /// <summary>
    /// They are written into the ledger as skipped, and nothing is marked; what was due then is marked at the next
    /// cutoff.
    /// </summary>
    Skip,
}

/// <summary>What became of a request to resume an agency.</summary>
[GenerateSerializer, Alias("actors.ResumeOutcome")]
public enum ResumeOutcome
{
    /// <summary>It is served again, and what had passed is served or skipped.</summary>
    Resumed,

    /// <summary>It was not paused: nothing was changed.</summary>
    NotPaused,

    /// <summary>There is no such agency.</summary>
    NotFound,

    /// <summary>
    /// Another transaction held the agency for longer than some seconds. It is still paused; ask again. Dates that
    /// were skipped before that stay skipped.
    /// </summary>
    Busy,

    /// <summary>
    /// Its dates could not be skipped, so it is still paused; see the error. Dates that were skipped before that stay
    /// skipped.
    /// </summary>
    SkipFailed,

    /// <summary>
    /// It is resumed, but what had passed could not be served: it stands in the ledger as failed, an alert is raised,
    /// and the sweep tries again.
    /// </summary>
    CatchUpFailed,
}

/// <summary>The answer of <see cref="IAgencyGrain.ResumeAsync"/>.</summary>
/// <param name="Agency">The agency that was asked for.</param>
/// <param name="Outcome">What became of it.</param>
/// <param name="Job">The row of `jobs_log` it stands under; null when no date had passed.</param>
/// <param name="Served">With catch-up: the ledger rows that were written, in the order of dates.</param>
/// <param name="Skipped">
/// With skip: the ledger rows that were written, in the order of dates; each marked nothing.
/// </param>
/// <param name="Next">The next cutoff; null unless the agency is resumed and well.</param>
/// <param name="Error">What went wrong, in one sentence; null unless something failed.</param>
[GenerateSerializer, Immutable, Alias("actors.ResumeResult")]
public sealed record ResumeResult(
    [property: Id(0)] AgencyId Agency,
    [property: Id(1)] ResumeOutcome Outcome,
    [property: Id(2)] JobId? Job,
    [property: Id(3)] IReadOnlyList<ServedCutoff> Served,
    [property: Id(4)] IReadOnlyList<ServedCutoff> Skipped,
    [property: Id(5)] Instant? Next,
    [property: Id(6)] string? Error)
{
    /// <summary>How many installments became overdue by it.</summary>
    public int RecordsUpdated => Served.Sum(row => row.RecordsUpdated);
}
