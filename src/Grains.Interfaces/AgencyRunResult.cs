using NodaTime;

namespace Actors.Grains.Interfaces;

/// <summary>What became of a request to bring one agency up to date.</summary>
[GenerateSerializer, Alias("actors.AgencyRunOutcome")]
public enum AgencyRunOutcome
{
    /// <summary>Its passed cutoffs are served, and what was due is marked.</summary>
    UpToDate,

    /// <summary>No cutoff is unserved, and nobody asked for more: nothing was written.</summary>
    NothingUnserved,

    /// <summary>The agency is paused; its dates pass unserved.</summary>
    Paused,

    /// <summary>There is no such agency.</summary>
    NotFound,

    /// <summary>
    /// It failed. Where a date was unserved that is recorded, and the agency is set aside until it is tried again.
    /// </summary>
    Failed,
}

/// <summary>One ledger row that a request wrote.</summary>
/// <param name="CutoffDate">The agency's local date.</param>
/// <param name="CutoffAt">The instant of that date's cutoff.</param>
/// <param name="ServesCutoff">False for a run that was asked for when nothing was unserved.</param>
/// <param name="RecordsUpdated">How many installments it alone marked.</param>
[GenerateSerializer, Immutable, Alias("actors.ServedCutoff")]
public readonly record struct ServedCutoff(
    [property: Id(0)] LocalDate CutoffDate,
    [property: Id(1)] Instant CutoffAt,
    [property: Id(2)] bool ServesCutoff,
    [property: Id(3)] int RecordsUpdated);

/// <summary>The answer of <see cref="IAgencyGrain.BringUpToDateAsync"/>.</summary>
/// <param name="Agency">The agency that was asked for.</param>
/// <param name="Outcome">What became of it.</param>
/// <param name="Job">The row of `jobs_log` it stands under; null when nothing was written.</param>
/// <param name="Served">The ledger rows that were written, in the order of dates.</param>
/// <param name="Next">The next cutoff, null when unknown (not found, or failed).</param>
/// <param name="Error">What went wrong, in one sentence; null unless failed.</param>
[GenerateSerializer, Immutable, Alias("actors.AgencyRunResult")]
public sealed record AgencyRunResult(
    [property: Id(0)] AgencyId Agency,
    [property: Id(1)] AgencyRunOutcome Outcome,
    [property: Id(2)] JobId? Job,
    [property: Id(3)] IReadOnlyList<ServedCutoff> Served,
    [property: Id(4)] Instant? Next,
    [property: Id(5)] string? Error)
{
    /// <summary>Whether the failure may pass by itself, so that trying again soon makes sense.</summary>
    [Id(6)]
    public bool MayPass { get; init; }

    /// <summary>How many installments this request alone marked.</summary>
    public int RecordsUpdated => Served.Sum(row => row.RecordsUpdated);
}
