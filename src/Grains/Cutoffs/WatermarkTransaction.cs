using Actors.Grains.Installments;
using Actors.Grains.Interfaces;
using Actors.Grains.Jobs;
using NodaTime;
using Npgsql;

namespace Actors.Grains.Cutoffs;

/// <summary>
/// One transaction over the watermarks of agencies: lock them, read what holds while they are locked, and then
/// whatever its owner writes; all of it or none. It decides nothing.
/// </summary>
internal sealed class WatermarkTransaction : IAsyncDisposable
{
    /// <summary>
    /// These transactions find what they read by indexes, and the watermarks are in memory: they were locked a moment
    /// before. PostgreSQL's default takes a page anywhere for four times as dear as the next one, as on a disk that
    /// turns: of ten thousand agencies it read all in each statement of each batch.
    /// </summary>
    private const string PagesAreInMemory = "SET LOCAL random_page_cost = 1.1";

    /// <summary>
    /// First lock the watermarks, in the order of ids. Whoever holds one is at work on that agency, or is changing its
    /// settings: the agency is left out and tried again, and its batch-mates do not wait.
    /// </summary>
    internal const string Lock =
        """
        SELECT agency_id FROM agency_cutoffs
        WHERE agency_id = ANY (@agencies)
        ORDER BY agency_id
        FOR NO KEY UPDATE SKIP LOCKED
        """;

    /// <summary>
    /// Then, in a statement of its own, read settings and clock: a locking join was seen to return the new watermark
    /// beside the old cutoff time. It reads the agencies that were left out too, to tell busy ones from deleted ones.
    /// </summary>
    internal const string Read =
        """
        SELECT c.agency_id, a.timezone, a.overdue_cutoff_time, c.last_cutoff_date, c.last_cutoff_at, c.next_cutoff_at,
               c.settings_changed_at, c.paused_at IS NOT NULL AS is_paused, c.failed_attempts
        FROM agency_cutoffs c
        JOIN agencies a ON a.id = c.agency_id
        WHERE c.agency_id = ANY (@agencies)
        """;

    private readonly NpgsqlConnection _connection;
    private readonly NpgsqlTransaction _transaction;
    private readonly Instant? _clockReplacement;

    private WatermarkTransaction(
        NpgsqlConnection connection, NpgsqlTransaction transaction, Instant? clockReplacement) =>
        (_connection, _transaction, _clockReplacement) = (connection, transaction, clockReplacement);

    /// <summary>The clock that decides, as the parameter `now` of a statement.</summary>
    public NpgsqlParameter ClockReplacement => MarkingParameters.Now(_clockReplacement);

    /// <summary>On a connection that stays its caller's.</summary>
    public static async Task<WatermarkTransaction> BeginAsync(
        NpgsqlConnection connection, DatabaseClock clock, CancellationToken cancellationToken) => new(
        connection, await connection.BeginTransactionAsync(cancellationToken), clock.Replacement);

    /// <summary>What the database says of one agency just now, without a lock; null where there is none.</summary>
    public static async Task<(AgencyState? State, Instant Now)> PeekAsync(
        GrainDatabase database, AgencyId agency, CancellationToken cancellationToken)
    {
        await using var connection = await database.Source.OpenConnectionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection);
        AddReading(batch, [agency.Value], MarkingParameters.Now(database.Clock.Replacement));
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        var state = await reader.ReadAsync(cancellationToken) ? StateIn(reader) : null;
        return (state, await NowIn(reader, cancellationToken));
    }

    /// <summary>Locks the agencies' watermarks and reads what holds while they are locked.</summary>
    public async Task<LockedAgencies> LockAndReadAsync(Guid[] agencies, CancellationToken cancellationToken)
    {
        await using var batch = CreateBatch();
        batch.BatchCommands.Add(new NpgsqlBatchCommand(GrainDatabase.EndWhenIdle));
        batch.BatchCommands.Add(new NpgsqlBatchCommand(PagesAreInMemory));
        batch.BatchCommands.Add(new NpgsqlBatchCommand(Lock) { Parameters = { Array("agencies", agencies) } });
        AddReading(batch, agencies, ClockReplacement);

        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        var locked = new HashSet<AgencyId>();
        while (await reader.ReadAsync(cancellationToken)) locked.Add(new AgencyId(reader.GetGuid(0)));

        await reader.NextResultAsync(cancellationToken);
        var states = new Dictionary<AgencyId, AgencyState>(locked.Count);
        var busy = new HashSet<AgencyId>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var state = StateIn(reader);
            if (locked.Contains(state.Agency)) states.Add(state.Agency, state);
            else busy.Add(state.Agency);
        }

        return new LockedAgencies(states, busy, await NowIn(reader, cancellationToken));
    }

    /// <summary>Locks and reads one agency; null where there is none.</summary>
    /// <exception cref="AgencyIsHeldException">Somebody else holds its watermark.</exception>
    public async Task<(AgencyState? State, Instant Now)> LockAndReadAsync(
        AgencyId agency, CancellationToken cancellationToken)
    {
        var locked = await LockAndReadAsync([agency.Value], cancellationToken);
        return locked.Busy.Contains(agency)
            ? throw new AgencyIsHeldException(agency)
            : (locked.States.GetValueOrDefault(agency), locked.Now);
    }

    /// <summary>Answers which of the runs are open; they stay open until this transaction ends.</summary>
    public async Task<IReadOnlySet<JobId>> ShareOpenJobsAsync(
        IEnumerable<JobPlan> jobs, CancellationToken cancellationToken)
    {
        await using var command = CreateCommand(JobsLog.ShareOpen);
        command.Parameters.Add(Array("jobs", jobs.Select(job => job.Id.Value).ToArray()));
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var open = new HashSet<JobId>();
        while (await reader.ReadAsync(cancellationToken)) open.Add(new JobId(reader.GetGuid(0)));
        return open;
    }

    public NpgsqlCommand CreateCommand(string sql) => new(sql, _connection, _transaction);

    public NpgsqlBatch CreateBatch() => new(_connection, _transaction);

    public Task CommitAsync(CancellationToken cancellationToken) => _transaction.CommitAsync(cancellationToken);

    /// <summary>Rolls back what was not committed.</summary>
    public ValueTask DisposeAsync() => _transaction.DisposeAsync();

    private static void AddReading(NpgsqlBatch batch, Guid[] agencies, NpgsqlParameter now)
    {
        batch.BatchCommands.Add(new NpgsqlBatchCommand(Read) { Parameters = { Array("agencies", agencies) } });
        batch.BatchCommands.Add(new NpgsqlBatchCommand(DatabaseClock.Now) { Parameters = { now } });
    }

    private static async Task<Instant> NowIn(NpgsqlDataReader reader, CancellationToken cancellationToken)
    {
        await reader.NextResultAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return reader.GetFieldValue<Instant>(0);
    }

    private static NpgsqlParameter Array(string name, Guid[] values) => new() { ParameterName = name, Value = values };

    private static AgencyState StateIn(NpgsqlDataReader reader) => new(
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
/// <param name="Now">The database's clock after the locks were taken.</param>
internal sealed record LockedAgencies(
    IReadOnlyDictionary<AgencyId, AgencyState> States, IReadOnlySet<AgencyId> Busy, Instant Now);
