using Actors.Grains.Cutoffs;
using Actors.Grains.Interfaces;
using Actors.Grains.Jobs;
using NodaTime;
using Npgsql;

namespace Actors.Grains.Installments;

/// <summary>
/// One transaction of the marker: lock, read, and later write, all of it or none. It decides nothing.
/// </summary>
internal sealed class MarkingTransaction : IAsyncDisposable
{
    private readonly NpgsqlConnection _connection;
    private readonly NpgsqlTransaction _transaction;
    private readonly Instant? _clockReplacement;

    private MarkingTransaction(NpgsqlConnection connection, NpgsqlTransaction transaction, Instant? clockReplacement) =>
        (_connection, _transaction, _clockReplacement) = (connection, transaction, clockReplacement);

    public static async Task<MarkingTransaction> BeginAsync(GrainDatabase database, CancellationToken cancellationToken)
    {
        var connection = await database.Source.OpenConnectionAsync(cancellationToken);
        try
        {
            var transaction = await connection.BeginTransactionAsync(cancellationToken);
            return new MarkingTransaction(connection, transaction, database.Clock.Replacement);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Locks the agencies' watermarks and reads what holds while they are locked.</summary>
    public async Task<LockedAgencies> LockAndReadAsync(Guid[] agencies, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(_connection, _transaction);
        foreach (var sql in (string[])[MarkingSql.Lock, MarkingSql.Read])
            batch.BatchCommands.Add(new NpgsqlBatchCommand(sql) { Parameters = { Array("agencies", agencies) } });
        batch.BatchCommands.Add(new NpgsqlBatchCommand(MarkingSql.Now) { Parameters = { ClockReplacement } });

        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        var locked = new HashSet<AgencyId>();
        while (await reader.ReadAsync(cancellationToken)) locked.Add(new AgencyId(reader.GetGuid(0)));

        await reader.NextResultAsync(cancellationToken);
        var states = new List<AgencyState>(locked.Count);
        var busy = new HashSet<AgencyId>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var state = ReadState(reader);
            if (locked.Contains(state.Agency)) states.Add(state);
            else busy.Add(state.Agency);
        }

        await reader.NextResultAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return new LockedAgencies(states, busy, reader.GetFieldValue<Instant>(0));
    }

    /// <summary>Answers which of the runs are open; they stay open until this transaction ends.</summary>
    public async Task<IReadOnlySet<JobId>> ShareOpenJobsAsync(
        IEnumerable<JobPlan> jobs, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(MarkingSql.ShareOpenJobs, _connection, _transaction);
        command.Parameters.Add(Array("jobs", jobs.Select(job => job.Id.Value).ToArray()));
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var open = new HashSet<JobId>();
        while (await reader.ReadAsync(cancellationToken)) open.Add(new JobId(reader.GetGuid(0)));
        return open;
    }

    /// <summary>
    /// Marks, writes the ledger and moves the watermarks. With <paramref name="lockPatience"/> given, waits that long
    /// for rows that others hold and throws a lock timeout; without it leaves such agencies out and answers them.
    /// </summary>
    public async Task<WrittenBatch> WriteAsync(
        MarkingBatch marking, TimeSpan? lockPatience, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(_connection, _transaction);
        var patience = (long)(lockPatience ?? TimeSpan.FromSeconds(1)).TotalMilliseconds;
        batch.BatchCommands.Add(new NpgsqlBatchCommand($"SET LOCAL lock_timeout = {patience}"));
        // Before Npgsql's own limit, after which nobody could tell a large agency from a lost connection.
        batch.BatchCommands.Add(new NpgsqlBatchCommand("SET LOCAL statement_timeout = 45000"));
        MarkingParameters.AddFailureRepairs(batch, marking, ClockReplacement);
        var mark = new NpgsqlBatchCommand(lockPatience is null ? MarkingSql.MarkUnlocked : MarkingSql.Mark);
        MarkingParameters.AddTo(mark.Parameters, marking, ClockReplacement);
        batch.BatchCommands.Add(mark);

        // The statements before the last return no rows, so the reader stands at the last one's.
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        var counts = new Dictionary<(AgencyId, LocalDate), int>(marking.Rows.Count);
        var busy = new HashSet<AgencyId>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var agency = new AgencyId(reader.GetGuid(0));
            if (reader.IsDBNull(1)) busy.Add(agency);
            else counts.Add((agency, reader.GetFieldValue<LocalDate>(1)), reader.GetInt32(2));
        }

        return new WrittenBatch(counts, busy);
    }

    public Task CommitAsync(CancellationToken cancellationToken) => _transaction.CommitAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _transaction.DisposeAsync();
        await _connection.DisposeAsync();
    }

    private NpgsqlParameter ClockReplacement => MarkingParameters.Now(_clockReplacement);

    private static NpgsqlParameter Array(string name, Guid[] values) => new() { ParameterName = name, Value = values };

    private static AgencyState ReadState(NpgsqlDataReader reader) => new(
        new AgencyId(reader.GetGuid(0)),
        reader.GetString(1),
        reader.GetFieldValue<LocalTime>(2),
        reader.IsDBNull(3) ? null : reader.GetFieldValue<LocalDate>(3),
        reader.IsDBNull(4) ? null : reader.GetFieldValue<Instant>(4),
        reader.IsDBNull(5) ? null : reader.GetFieldValue<Instant>(5),
        reader.GetFieldValue<Instant>(6),
        reader.GetBoolean(7),
        reader.GetInt32(8));
}

/// <summary>What was found under the locks.</summary>
/// <param name="States">The agencies that are locked now.</param>
/// <param name="Busy">Agencies that are there, but locked by somebody else.</param>
internal sealed record LockedAgencies(IReadOnlyList<AgencyState> States, IReadOnlySet<AgencyId> Busy, Instant Now);

/// <summary>What a batch wrote: how many installments each ledger row names, and who was left out.</summary>
internal sealed record WrittenBatch(
    IReadOnlyDictionary<(AgencyId Agency, LocalDate Date), int> Counts, IReadOnlySet<AgencyId> Busy);
