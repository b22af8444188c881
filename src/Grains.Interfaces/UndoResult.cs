using NodaTime;

namespace Actors.Grains.Interfaces;

/// <summary>What became of a request to undo one run of an agency.</summary>
[GenerateSerializer, Alias("actors.UndoOutcome")]
public enum UndoOutcome
{
    /// <summary>At least one of its installments is pending again, and that is recorded.</summary>
    Undone,

    /// <summary>This agency's ledger has no such run.</summary>
    NotFound,

    /// <summary>It was undone before; the answer tells when, and changes nothing.</summary>
    AlreadyUndone,

    /// <summary>
    /// It marked nothing (a failed or skipped run never does), or nothing that it marked can be restored, for the
    /// reasons that are listed. Nothing was recorded, so that it may be asked again.
    /// </summary>
    NothingToUndo,

    /// <summary>
    /// Another transaction held the agency, or some of the installments that are listed, for longer than some
    /// seconds. Nothing was changed; ask again.
    /// </summary>
    Busy,

    /// <summary>The database refused the change, as a trigger of the application may; see the error.</summary>
    Failed,
}

/// <summary>Why an installment that a run had marked was left as it is.</summary>
[GenerateSerializer, Alias("actors.LeftOutReason")]
public enum LeftOutReason
{
    /// <summary>It is paid.</summary>
    Paid,

    /// <summary>
    /// It is neither overdue nor paid, or its plan belongs to another agency now: somebody has changed it since.
    /// </summary>
    Changed,

    /// <summary>A later run of the agency, which is not undone, marked it again.</summary>
    HeldByLaterRun,

    /// <summary>It is no longer there.</summary>
    Deleted,

    /// <summary>Another transaction held it; only where the outcome is <see cref="UndoOutcome.Busy"/>.</summary>
    Locked,
}

/// <summary>One installment that an undo left as it is.</summary>
/// <param name="Installment">`installments.id`.</param>
/// <param name="Why">The reason.</param>
[GenerateSerializer, Immutable, Alias("actors.LeftOutInstallment")]
public readonly record struct LeftOutInstallment(
    [property: Id(0)] Guid Installment, [property: Id(1)] LeftOutReason Why);

/// <summary>The answer of <see cref="IAgencyGrain.UndoRunAsync"/>.</summary>
/// <param name="AgencyRun">The run that was asked for: `agency_runs.id`.</param>
/// <param name="Outcome">What became of it.</param>
/// <param name="Restored">How many installments are pending again, by this undo or by the one that was before.</param>
/// <param name="LeftOut">
/// What was left as it is, in the order of ids: the first <see cref="LeftOutAtMost"/>. `agency_run_undos.left_out` has
/// all of them.
/// </param>
/// <param name="LeftOutCount">How many were left out in all.</param>
/// <param name="At">When it was undone, by the database's clock; null unless it is undone.</param>
/// <param name="Error">What went wrong, in one sentence; null unless it failed.</param>
[GenerateSerializer, Immutable, Alias("actors.UndoResult")]
public sealed record UndoResult(
    [property: Id(0)] Guid AgencyRun,
    [property: Id(1)] UndoOutcome Outcome,
    [property: Id(2)] int Restored,
    [property: Id(3)] IReadOnlyList<LeftOutInstallment> LeftOut,
    [property: Id(4)] int LeftOutCount,
    [property: Id(5)] Instant? At,
    [property: Id(6)] string? Error)
{
    /// <summary>The most installments that one answer lists.</summary>
    public const int LeftOutAtMost = 1_000;
}
