using Actors.Grains.Cutoffs;
using Actors.Grains.Interfaces;
using NodaTime;
using Npgsql;

namespace Actors.Grains.Agencies;

/// <summary>
/// Undoes one run of an agency, in one transaction under its watermark: no run of it can mark meanwhile. Rows that an
/// application holds are never waited for while ours are held, so that neither can deadlock the other.
/// </summary>
internal sealed class RunUndoing(AgencyTransactions transactions)
{
    public Task<UndoResult> UndoAsync(
        AgencyId agency, Guid agencyRun, string by, string reason, CancellationToken cancellationToken) =>
        transactions.LockedAsync(
            agency,
            (transaction, _, now) => UndoLockedAsync(
                transaction, new UndoRequest(agency, agencyRun, now, by, reason), cancellationToken),
            cancellationToken);

    private static async Task<UndoResult> UndoLockedAsync(
        WatermarkTransaction transaction, UndoRequest undo, CancellationToken cancellationToken)
    {
        if (await FindAsync(transaction, undo, cancellationToken) is not var (marked, undoneAt))
            return Nothing(undo, UndoOutcome.NotFound);
        if (marked == 0) return Nothing(undo, UndoOutcome.NothingToUndo);
        if (undoneAt is { } at)
        {
            return await ResultAsync(
                transaction, UndoSql.Recorded, undo, UndoOutcome.AlreadyUndone, at, cancellationToken);
        }

        var locked = await LockAsync(transaction, undo, cancellationToken);
        if (locked.Count > 0) throw new InstallmentsAreLockedException(undo.Agency, locked);

        var result = await ResultAsync(
            transaction, UndoSql.Undo, undo, UndoOutcome.Undone, undo.At, cancellationToken);
        if (result.Restored == 0) return result with { Outcome = UndoOutcome.NothingToUndo, At = null };

        var note = ChangeNote.OfUndo(
            undo.Agency, undo.At, undo.By, undo.Reason, undo.AgencyRun, result.Restored, result.LeftOutCount);
        await note.WriteAsync(transaction, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return result;
    }

    private static UndoResult Nothing(UndoRequest undo, UndoOutcome outcome) =>
        new(undo.AgencyRun, outcome, 0, [], 0, null, null);

    /// <summary>How many the run marked, and when it was undone; null where this agency has no such run.</summary>
    private static async Task<(int Marked, Instant? UndoneAt)?> FindAsync(
        WatermarkTransaction transaction, UndoRequest undo, CancellationToken cancellationToken)
    {
        await using var command = Command(transaction, UndoSql.Find, undo);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken)) return null;
        return (reader.GetInt32(0), reader.IsDBNull(1) ? null : reader.GetFieldValue<Instant>(1));
    }

    /// <summary>Locks what may be restored, and answers what somebody else holds of it.</summary>
    private static async Task<IReadOnlyList<Guid>> LockAsync(
        WatermarkTransaction transaction, UndoRequest undo, CancellationToken cancellationToken)
    {
        await using var limit = transaction.CreateCommand(UndoSql.Patience);
        await limit.ExecuteNonQueryAsync(cancellationToken);
        await using var command = Command(transaction, UndoSql.Lock, undo);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var locked = new List<Guid>();
        while (await reader.ReadAsync(cancellationToken)) locked.Add(reader.GetGuid(0));
        return locked;
    }

    /// <summary>
    /// Runs a statement that answers how many were restored and left out, beside the first of those left out.
    /// </summary>
    private static async Task<UndoResult> ResultAsync(
        WatermarkTransaction transaction, string sql, UndoRequest undo, UndoOutcome outcome, Instant at,
        CancellationToken cancellationToken)
    {
        await using var command = Command(transaction, sql, undo);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var (restored, leftOutCount) = (0, 0);
        var leftOut = new List<LeftOutInstallment>();
        while (await reader.ReadAsync(cancellationToken))
        {
            (restored, leftOutCount) = (reader.GetInt32(0), reader.GetInt32(1));
            if (!reader.IsDBNull(2))
                leftOut.Add(new LeftOutInstallment(reader.GetGuid(2), ReasonOf(reader.GetString(3))));
        }

        return new UndoResult(undo.AgencyRun, outcome, restored, leftOut, leftOutCount, at, null);
    }

    private static NpgsqlCommand Command(WatermarkTransaction transaction, string sql, UndoRequest undo)
    {
        var command = transaction.CreateCommand(sql);
        command.Parameters.AddWithValue("agency", undo.Agency.Value);
        command.Parameters.AddWithValue("run", undo.AgencyRun);
        command.Parameters.AddWithValue("at", undo.At);
        command.Parameters.AddWithValue("by", undo.By);
        command.Parameters.AddWithValue("reason", undo.Reason);
        command.Parameters.AddWithValue("listed", UndoResult.LeftOutAtMost);
        return command;
    }

    private static LeftOutReason ReasonOf(string why) => why switch
    {
        "paid" => LeftOutReason.Paid,
        "changed" => LeftOutReason.Changed,
        "held_by_later_run" => LeftOutReason.HeldByLaterRun,
        "deleted" => LeftOutReason.Deleted,
        _ => throw new ArgumentOutOfRangeException(nameof(why), why, "no reason is known for this word"),
    };

    /// <param name="At">The database's clock under the lock.</param>
    private sealed record UndoRequest(AgencyId Agency, Guid AgencyRun, Instant At, string By, string Reason);
}

/// <summary>Somebody else holds installments that are to be restored; nothing was changed.</summary>
internal sealed class InstallmentsAreLockedException(AgencyId agency, IReadOnlyList<Guid> installments)
    : AgencyIsBusyException($"installments of agency {agency} are locked by another transaction")
{
    /// <summary>The first of them, in the order of ids.</summary>
    public IReadOnlyList<Guid> Installments { get; } = installments;
}
