using Npgsql;
using NpgsqlTypes;

namespace Actors.Api.Runs;

/// <summary>
/// The table `run_requests`, which the API writes as itself. Whose turn it is at a request is decided here, by a unique
/// index and by leases on the database's clock, and by nothing that a process remembers.
/// </summary>
internal sealed class RunRequestStore(ApiDatabase database)
{
    private const string Insert =
        """
        INSERT INTO run_requests (
          id, caller_id, requested_by, reason, idempotency_key, fingerprint, agency_id, agency_ids, leased_until)
        VALUES (
          @id, @caller_id, @requested_by, @reason, @key, @fingerprint, @agency, @agencies,
          clock_timestamp() + make_interval(secs => @lease))
        ON CONFLICT ON CONSTRAINT run_requests_one_for_each_key DO NOTHING
        """;

    private const string Find =
        """
        SELECT id, fingerprint, leased_until > clock_timestamp(), completed_at IS NOT NULL, answer_status, answer_body
        FROM run_requests
        WHERE caller_id = @caller_id AND idempotency_key = @key
        """;

    private const string TakeOver =
        """
        UPDATE run_requests
        SET attempt = attempt + 1, leased_until = clock_timestamp() + make_interval(secs => @lease),
            answer_status = NULL, answer_body = NULL
        WHERE id = @id AND completed_at IS NULL AND leased_until <= clock_timestamp()
        RETURNING attempt, agency_ids
        """;

    /// <summary>
    /// What has neither an answer nor a process, the oldest first. Where the answer was an error of the moment, whoever
    /// asked was told to ask again; what is older than a day nobody waits for, and what ends every process is left.
    /// </summary>
    private const string TakeOverAbandoned =
        """
        UPDATE run_requests
        SET attempt = attempt + 1, leased_until = clock_timestamp() + make_interval(secs => @lease)
        WHERE id IN (
          SELECT id FROM run_requests
          WHERE completed_at IS NULL AND answer_status IS NULL AND leased_until <= clock_timestamp()
            AND requested_at > clock_timestamp() - interval '1 day' AND attempt < 20
          ORDER BY leased_until
          LIMIT @at_most
          FOR UPDATE SKIP LOCKED)
        RETURNING id, attempt, agency_ids, caller_id, requested_by, reason, agency_id
        """;

    private const string Prolong =
        """
        UPDATE run_requests AS r
        SET leased_until = clock_timestamp() + make_interval(secs => @lease)
        FROM unnest(@ids, @attempts) AS mine (id, attempt)
        WHERE r.id = mine.id AND r.attempt = mine.attempt AND r.completed_at IS NULL
        """;

    private const string Complete =
        """
        UPDATE run_requests
        SET completed_at = clock_timestamp(), leased_until = clock_timestamp(),
            answer_status = @status, answer_body = @body
        WHERE id = @id AND attempt = @attempt AND completed_at IS NULL
        """;

    private const string Release =
        """
        UPDATE run_requests
        SET leased_until = clock_timestamp(), answer_status = @status, answer_body = @body
        WHERE id = @id AND attempt = @attempt AND completed_at IS NULL
        """;

    /// <summary>The earlier request of this caller with this key; null where there is none.</summary>
    public async Task<RunRequestState?> FindAsync(string callerId, string key, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand(Find);
        command.Parameters.AddWithValue("caller_id", callerId);
        command.Parameters.AddWithValue("key", key);
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        if (!await row.ReadAsync(cancellationToken)) return null;
        return new RunRequestState(
            row.GetGuid(0),
            row.GetFieldValue<byte[]>(1),
            row.GetBoolean(2),
            row.GetBoolean(3) ? new KeptAnswer(row.GetInt32(4), row.GetString(5)) : null);
    }

    /// <summary>Notes a new request. Null where another one has its key by now.</summary>
    public async Task<RunTicket?> AddAsync(RunOrder order, Guid[]? agencies, TimeSpan lease)
    {
        var ticket = new RunTicket(Guid.NewGuid(), 1, agencies);
        await using var command = database.Source.CreateCommand(Insert);
        command.Parameters.AddWithValue("id", ticket.Id);
        command.Parameters.AddWithValue("caller_id", order.Caller.Id);
        command.Parameters.AddWithValue("requested_by", order.Caller.Name);
        command.Parameters.Add(Text("reason", order.Reason));
        command.Parameters.Add(Text("key", order.Key));
        command.Parameters.AddWithValue("fingerprint", order.Fingerprint);
        command.Parameters.Add(new NpgsqlParameter("agency", NpgsqlDbType.Uuid)
        {
            Value = (object?)order.Agency ?? DBNull.Value,
        });
        command.Parameters.Add(new NpgsqlParameter("agencies", NpgsqlDbType.Array | NpgsqlDbType.Uuid)
        {
            Value = (object?)agencies ?? DBNull.Value,
        });
        command.Parameters.Add(Seconds(lease));
        return await command.ExecuteNonQueryAsync() == 1 ? ticket : null;
    }

    /// <summary>Takes over a request that nobody is at. Null where somebody is, or it was answered meanwhile.</summary>
    public async Task<RunTicket?> TakeOverAsync(Guid id, TimeSpan lease)
    {
        await using var command = database.Source.CreateCommand(TakeOver);
        command.Parameters.AddWithValue("id", id);
        command.Parameters.Add(Seconds(lease));
        await using var row = await command.ExecuteReaderAsync();
        return await row.ReadAsync()
            ? new RunTicket(id, row.GetInt32(0), await row.IsDBNullAsync(1) ? null : row.GetFieldValue<Guid[]>(1))
            : null;
    }

    /// <summary>Takes over some of the requests that nobody is at and nobody has answered.</summary>
    public async Task<IReadOnlyList<AbandonedRun>> TakeOverAbandonedAsync(
        TimeSpan lease, int atMost, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand(TakeOverAbandoned);
        command.Parameters.Add(Seconds(lease));
        command.Parameters.AddWithValue("at_most", atMost);
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        var runs = new List<AbandonedRun>();
        while (await row.ReadAsync(cancellationToken))
        {
            runs.Add(new AbandonedRun(
                new RunTicket(row.GetGuid(0), row.GetInt32(1), row.IsDBNull(2) ? null : row.GetFieldValue<Guid[]>(2)),
                row.GetString(3),
                row.GetString(4),
                row.IsDBNull(5) ? null : row.GetString(5),
                row.IsDBNull(6) ? null : row.GetGuid(6)));
        }

        return runs;
    }

    /// <summary>Says that this process is still at these; those that were taken from it are left as they are.</summary>
    public async Task ProlongAsync(
        IReadOnlyCollection<RunTicket> tickets, TimeSpan lease, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand(Prolong);
        command.Parameters.AddWithValue("ids", tickets.Select(ticket => ticket.Id).ToArray());
        command.Parameters.AddWithValue("attempts", tickets.Select(ticket => ticket.Attempt).ToArray());
        command.Parameters.Add(Seconds(lease));
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>
    /// Keeps the answer for good. False where the request was taken over: then the other's answer counts.
    /// </summary>
    public Task<bool> CompleteAsync(RunTicket ticket, KeptAnswer answer) => EndAsync(Complete, ticket, answer);

    /// <summary>
    /// Lets go of a request without an answer that lasts, at most with the error of the moment that ended it.
    /// </summary>
    public Task<bool> ReleaseAsync(RunTicket ticket, KeptAnswer? error) => EndAsync(Release, ticket, error);

    private async Task<bool> EndAsync(string sql, RunTicket ticket, KeptAnswer? answer)
    {
        await using var command = database.Source.CreateCommand(sql);
        command.Parameters.AddWithValue("id", ticket.Id);
        command.Parameters.AddWithValue("attempt", ticket.Attempt);
        command.Parameters.Add(new NpgsqlParameter("status", NpgsqlDbType.Integer)
        {
            Value = (object?)answer?.Status ?? DBNull.Value,
        });
        command.Parameters.Add(Text("body", answer?.Body));
        return await command.ExecuteNonQueryAsync() == 1;
    }

    private static NpgsqlParameter Text(string name, string? value) =>
        new(name, NpgsqlDbType.Text) { Value = (object?)value ?? DBNull.Value };

    private static NpgsqlParameter Seconds(TimeSpan lease) =>
        new("lease", NpgsqlDbType.Double) { Value = lease.TotalSeconds };
}
