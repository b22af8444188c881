using Actors.Grains.Cutoffs;
using Actors.Grains.Interfaces;
using NodaTime;
using Npgsql;

namespace Actors.Grains.Installments;

/// <summary>The write of the marker: what a batch has decided, in the transaction that holds its watermarks.</summary>
internal static class InstallmentMarking
{
    /// <summary>
    /// Marks, writes the ledger and moves the watermarks. With <paramref name="lockPatience"/> given, waits that long
    /// for rows that others hold and throws a lock timeout; without it leaves such agencies out and answers them.
    /// </summary>
    public static async Task<WrittenBatch> MarkAsync(
        this WatermarkTransaction transaction, MarkingBatch marking, TimeSpan? lockPatience,
        CancellationToken cancellationToken)
    {
        await using var batch = transaction.CreateBatch();
        var patience = (long)(lockPatience ?? TimeSpan.FromSeconds(1)).TotalMilliseconds;
        batch.BatchCommands.Add(new NpgsqlBatchCommand($"SET LOCAL lock_timeout = {patience}"));
        // Before Npgsql's own limit, after which nobody could tell a large agency from a lost connection.
        batch.BatchCommands.Add(new NpgsqlBatchCommand("SET LOCAL statement_timeout = 45000"));
        var mark = new NpgsqlBatchCommand(lockPatience is null ? MarkingSql.MarkUnlocked : MarkingSql.Mark);
        MarkingParameters.AddTo(mark.Parameters, marking, transaction.ClockReplacement);
        batch.BatchCommands.Add(mark);
        MarkingParameters.AddFailureRepairs(batch, marking, transaction.ClockReplacement);

        // No other statement returns rows, so the reader stands at the marking's.
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        var counts = new Dictionary<(AgencyId, LocalDate), int>(marking.Rows.Count);
        var busy = new HashSet<AgencyId>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var agency = new AgencyId(reader.GetGuid(0));
            if (reader.IsDBNull(1)) busy.Add(agency);
            else counts.Add((agency, reader.GetFieldValue<LocalDate>(1)), reader.GetInt32(2));
        }

        // What fails after the marking is told here, and not when the reader is closed.
        await reader.NextResultAsync(cancellationToken);
        return new WrittenBatch(counts, busy);
    }
}

/// <summary>What a batch wrote: how many installments each ledger row names, and who was left out.</summary>
internal sealed record WrittenBatch(
    IReadOnlyDictionary<(AgencyId Agency, LocalDate Date), int> Counts, IReadOnlySet<AgencyId> Busy);
