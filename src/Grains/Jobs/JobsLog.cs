using System.Collections.Concurrent;
using Actors.Grains.Installments;
using Actors.Grains.Interfaces;
using NodaTime;
using Npgsql;
using NpgsqlTypes;

namespace Actors.Grains.Jobs;

/// <summary>
/// The rows of `jobs_log`: opens them for whoever has something to write, and closes them for the coordinator.
/// </summary>
internal sealed class JobsLog(GrainDatabase database)
{
    /// <summary>The most open runs that are read at once.</summary>
    public const int OpenJobsAtMost = 1000;

    /// <summary>Enough for every cutoff instant of a day and its catch-ups; past it the set starts anew.</summary>
    private const int RememberedJobs = 4_096;

    /// <summary>
    /// Keeps the runs' rows open while a transaction writes under them; answers those that are open. The coordinator,
    /// who closes them, skips rows that are shared.
    /// </summary>
    public const string ShareOpen =
        "SELECT id FROM jobs_log WHERE id = ANY (@jobs) AND status = 'running' ORDER BY id FOR SHARE";

    private const string Open =
        """
        INSERT INTO jobs_log (id, job_name, started_at, status, metadata)
        SELECT j.id, @job_name, @now, 'running', jsonb_strip_nulls(jsonb_build_object(
          'trigger', j.trigger, 'cutoff_at', j.cutoff_at, 'requested_by', j.requested_by, 'reason', j.reason,
          'agencies_asked', j.agencies_asked))
        FROM unnest(@ids, @triggers, @cutoff_ats, @requested_by, @reasons, @agencies_asked)
          AS j (id, trigger, cutoff_at, requested_by, reason, agencies_asked)
        ORDER BY j.id
        ON CONFLICT (id) DO NOTHING
        """;

    private const string ReadClosed =
        """
        SELECT coalesce(metadata ->> 'trigger', 'another program'), (metadata ->> 'cutoff_at')::timestamptz,
               coalesce((metadata ->> 'agencies_total')::integer, 0), coalesce(records_updated, 0), error_message
        FROM jobs_log WHERE id = @job
        """;

    /// <summary>Whoever writes under it shares its row, and is waited for by nobody.</summary>
    private const string ForgetEmpty =
        """
        DELETE FROM jobs_log j
        USING (
          SELECT id FROM jobs_log
          WHERE NOT @has_failures AND id = @job AND status = 'running' AND metadata ->> 'trigger' = 'catch_up'
            AND NOT EXISTS (SELECT FROM agency_runs r WHERE r.job_id = @job)
          FOR UPDATE SKIP LOCKED) AS free
        WHERE j.id = free.id
        RETURNING j.id
        """;

    private readonly ConcurrentDictionary<JobId, bool> _opened = new();

    /// <summary>
    /// Makes sure that the runs have their rows, in a transaction of its own. A row that is there stays as it is,
    /// closed or not. Rows that this silo has opened before cost nothing.
    /// </summary>
    public async Task OpenAsync(IEnumerable<JobPlan> jobs, Instant now, CancellationToken cancellationToken)
    {
        var unknown = jobs.Where(job => !_opened.ContainsKey(job.Id)).ToArray();
        if (unknown.Length == 0) return;

        await using var command = database.Source.CreateCommand(Open);
        command.Parameters.AddWithValue("job_name", JobNames.UpdateInstallmentStatuses);
        command.Parameters.AddWithValue("now", now);
        command.Parameters.AddWithValue("ids", unknown.Select(job => job.Id.Value).ToArray());
        command.Parameters.AddWithValue("triggers", unknown.Select(job => RunWords.Of(job.Trigger)).ToArray());
        command.Parameters.Add(new NpgsqlParameter("cutoff_ats", NpgsqlDbType.Array | NpgsqlDbType.TimestampTz)
        {
            Value = unknown.Select(job => job.CutoffAt).ToArray(),
        });
        command.Parameters.Add(new NpgsqlParameter("agencies_asked", NpgsqlDbType.Array | NpgsqlDbType.Integer)
        {
            Value = unknown.Select(job => job.AgenciesAsked).ToArray(),
        });
        AddTexts("requested_by", job => job.RequestedBy);
        AddTexts("reasons", job => job.Reason);
        await command.ExecuteNonQueryAsync(cancellationToken);

        if (_opened.Count > RememberedJobs) _opened.Clear();
        foreach (var job in unknown) _opened[job.Id] = true;

        void AddTexts(string name, Func<JobPlan, string?> text) => command.Parameters.Add(
            new NpgsqlParameter(name, NpgsqlDbType.Array | NpgsqlDbType.Text)
            {
                Value = unknown.Select(text).ToArray(),
            });
    }

    /// <summary>
    /// Closes a run when no agency of it is left, or when it has lasted for its limit. Null when it goes on, is being
    /// written to, or was closed before. A catch-up that has come to nothing, neither a success nor a failure, has no
    /// row any more.
    /// </summary>
    /// <param name="job">The run.</param>
    /// <param name="limit">How long a run may stay open.</param>
    /// <param name="unrecorded">
    /// Failures that could not be written into the ledger: not knowing is a failure too.
    /// </param>
    /// <param name="patience">How long to wait for an alert that somebody holds.</param>
    /// <param name="cancellationToken">Gives up; the row stays open for the next sweep.</param>
    /// <exception cref="PostgresException">
    /// A lock timeout: somebody holds alerts, which have to be raised with it. The row stays open.
    /// </exception>
    public async Task<ClosedRun?> CloseAsync(
        JobId job, TimeSpan limit, IReadOnlyList<AgencyFailure> unrecorded, TimeSpan patience,
        CancellationToken cancellationToken)
    {
        await using var connection = await database.Source.OpenConnectionAsync(cancellationToken);
        var forget = Of(job, ForgetEmpty);
        forget.Parameters.Add(new("has_failures", unrecorded.Count > 0));
        var close = Of(job, "SELECT close_run(@job, coalesce(@now, clock_timestamp()), @limit, @unrecorded)");
        close.Parameters.Add(new("limit", NpgsqlDbType.Interval) { Value = Duration.FromTimeSpan(limit) });
        close.Parameters.Add(new("unrecorded", NpgsqlDbType.Jsonb) { Value = FailuresJson.Of(unrecorded) });
        close.Parameters.Add(MarkingParameters.Now(database.Clock.Replacement));
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                // Until the end of the batch, which is one transaction.
                new NpgsqlBatchCommand(FormattableString.Invariant(
                    $"SELECT set_config('lock_timeout', '{patience.TotalMilliseconds:0}', true)")),
                forget,
                close,
                Of(job, ReadClosed),
            },
        };
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        await reader.NextResultAsync(cancellationToken);
        // One that is asked for once more has to be opened anew.
        if (await reader.ReadAsync(cancellationToken)) _opened.TryRemove(job, out _);
        await reader.NextResultAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        if (reader.IsDBNull(0)) return null;

        await reader.NextResultAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return new ClosedRun(
            reader.GetString(0),
            reader.IsDBNull(1) ? null : reader.GetFieldValue<Instant>(1),
            reader.GetInt32(2),
            reader.GetInt32(3),
            reader.IsDBNull(4) ? null : reader.GetString(4));
    }

    /// <summary>
    /// Says that a run of all has reached every agency it is for. One that is closed without this word, because its
    /// silo is gone, is closed as failed if the ledger has fewer.
    /// </summary>
    public async Task NoteAllReachedAsync(JobId job, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand(
            "UPDATE jobs_log SET metadata = metadata - 'agencies_asked' WHERE id = @job AND status = 'running'");
        command.Parameters.AddWithValue("job", job.Value);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Whether the run has a row that is closed; false also where it has none yet.</summary>
    public async Task<bool> IsClosedAsync(JobId job, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand(
            "SELECT EXISTS (SELECT FROM jobs_log WHERE id = @job AND status <> 'running')");
        command.Parameters.AddWithValue("job", job.Value);
        return (bool)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>The runs that are open, oldest first, up to <see cref="OpenJobsAtMost"/>.</summary>
    public async Task<IReadOnlyList<JobId>> OpenJobsAsync(CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand(
            $"""
            SELECT id FROM jobs_log
            WHERE status = 'running' AND job_name = @job_name
            ORDER BY started_at LIMIT {OpenJobsAtMost}
            """);
        command.Parameters.AddWithValue("job_name", JobNames.UpdateInstallmentStatuses);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var jobs = new List<JobId>();
        while (await reader.ReadAsync(cancellationToken)) jobs.Add(new JobId(reader.GetGuid(0)));
        return jobs;
    }

    /// <summary>What the ledger and the closed row say of a run.</summary>
    public async Task<RunAllResult> ResultOfAsync(
        JobId job, IReadOnlyList<AgencyFailure> unrecorded, CancellationToken cancellationToken)
    {
        await using var connection = await database.Source.OpenConnectionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(Of(
            job,
            """
            SELECT agency_id, sum(records_updated)::integer, max(error_message) FILTER (WHERE status = 'failed')
            FROM agency_runs WHERE job_id = @job
            GROUP BY agency_id ORDER BY agency_id
            """));
        batch.BatchCommands.Add(Of(job, "SELECT error_message FROM jobs_log WHERE id = @job"));

        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        var counts = new List<AgencyCount>();
        var failures = new List<AgencyFailure>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var agency = new AgencyId(reader.GetGuid(0));
            if (reader.IsDBNull(2)) counts.Add(new AgencyCount(agency, reader.GetInt32(1)));
            else failures.Add(new AgencyFailure(agency, reader.GetString(2)));
        }

        await reader.NextResultAsync(cancellationToken);
        var error = await reader.ReadAsync(cancellationToken) && !reader.IsDBNull(0) ? reader.GetString(0) : null;
        var known = failures.Select(failure => failure.Agency).ToHashSet();
        failures.AddRange(unrecorded.Where(failure => !known.Contains(failure.Agency)));
        return new RunAllResult(job, counts, failures, error);
    }

    private static NpgsqlBatchCommand Of(JobId job, string sql) =>
        new(sql) { Parameters = { new NpgsqlParameter("job", job.Value) } };
}

/// <summary>A run that was closed just now.</summary>
/// <param name="Trigger">What started it, in the words of `jobs_log.metadata`.</param>
/// <param name="CutoffAt">The instant it served; null for catching up and for what was asked for.</param>
/// <param name="Agencies">How many agencies it concerned.</param>
/// <param name="RecordsUpdated">How many installments it marked.</param>
/// <param name="Error">Null when nothing failed.</param>
internal sealed record ClosedRun(string Trigger, Instant? CutoffAt, int Agencies, int RecordsUpdated, string? Error);
