using Actors.Grains.Installments;
using Actors.Grains.Interfaces;
using NodaTime;
using Npgsql;

namespace Actors.Grains.Jobs;

/// <summary>
/// Removes what is older than <see cref="GrainOptions.Retention"/>: ledger rows (their undos with them), then the rows
/// of `jobs_log` that no ledger row names any more, then alerts that are resolved.
/// <para>
/// What stays, however old: an agency's newest ledger row and whatever came after it, since they say where it begins;
/// runs that are open; what an open alert refers to; rows of `jobs_log` that another program wrote. `agency_changes`
/// is few rows, and stays.
/// </para>
/// <para>
/// Each statement is a transaction of its own and removes a bounded number of rows, and so does each call: what is left
/// goes at the next. Two at once do no harm, since each takes an advisory lock or nothing.
/// </para>
/// </summary>
internal sealed class HistoryStore(GrainDatabase database, GrainOptions options)
{
    /// <summary>The most rows that one statement removes.</summary>
    public const int RowsPerStatement = 5_000;

    /// <summary>The most statements of one call: up to 100,000 rows, ten days of 10,000 agencies.</summary>
    private const int StatementsAtMost = 20;

    /// <summary>"ACTORSHI" as a number.</summary>
    private const long HistoryLock = 0x4143_544F_5253_4849;

    private const string TryLock = GrainDatabase.EndWhenIdle
        + "; SELECT pg_try_advisory_xact_lock(@lock), coalesce(@now, clock_timestamp())";

    /// <summary>Runs of this program that have ended, oldest first, and that no open alert refers to.</summary>
    private const string OldJobs =
        """
        SELECT j.id
        FROM jobs_log j
        WHERE j.job_name = @job_name AND j.started_at < @before AND j.status <> 'running' AND j.metadata ? 'trigger'
          AND NOT EXISTS (SELECT FROM alerts a WHERE a.job_id = j.id AND a.resolved_at IS NULL)
        """;

    /// <summary>
    /// By way of their runs, whose index knows their age, so that nothing of the rest is read. The fence keeps the
    /// planner to that way.
    /// </summary>
    public const string DeleteLedgerRows =
        $"""
        DELETE FROM agency_runs WHERE id IN (
          SELECT r.id
          FROM ({OldJobs} ORDER BY j.started_at) AS old
          CROSS JOIN LATERAL (
            SELECT r.id
            FROM agency_runs r
            WHERE r.job_id = old.id
              AND NOT EXISTS (
                SELECT FROM agency_cutoffs c
                WHERE c.agency_id = r.agency_id
                  AND (c.last_cutoff_date IS NULL OR r.cutoff_date IS NULL OR r.cutoff_date >= c.last_cutoff_date))
            OFFSET 0
          ) AS r
          LIMIT @limit)
        """;

    public const string DeleteJobs =
        $"""
        DELETE FROM jobs_log WHERE id IN (
          {OldJobs}
            AND NOT EXISTS (SELECT FROM agency_runs r WHERE r.job_id = j.id)
          ORDER BY j.started_at
          LIMIT @limit)
        """;

    private const string DeleteAlerts =
        "DELETE FROM alerts WHERE id IN (SELECT id FROM alerts WHERE resolved_at < @before LIMIT @limit)";

    /// <summary>Removes what is too old by the database's clock, and answers how many rows that were.</summary>
    public async Task<int> DeleteOldAsync(CancellationToken cancellationToken)
    {
        if (options.Retention is not { } retention) return 0;

        var (removed, statements) = (0, 0);
        foreach (var sql in (string[])[DeleteLedgerRows, DeleteJobs, DeleteAlerts])
        {
            int rows;
            do
            {
                rows = await DeleteAsync(sql, Duration.FromTimeSpan(retention), cancellationToken);
                removed += rows;
            }
            while (rows == RowsPerStatement && ++statements < StatementsAtMost);
        }

        return removed;
    }

    internal static void AddParameters(NpgsqlParameterCollection parameters, Instant before)
    {
        parameters.AddWithValue("job_name", JobNames.UpdateInstallmentStatuses);
        parameters.AddWithValue("before", before);
        parameters.AddWithValue("limit", RowsPerStatement);
    }

    private async Task<int> DeleteAsync(string sql, Duration retention, CancellationToken cancellationToken)
    {
        await using var connection = await database.Source.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        if (await TryLockAsync(connection, cancellationToken) is not { } now) return 0;

        await using var delete = new NpgsqlCommand(sql, connection);
        AddParameters(delete.Parameters, now - retention);
        var rows = await delete.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return rows;
    }

    private async Task<Instant?> TryLockAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(TryLock, connection);
        command.Parameters.AddWithValue("lock", HistoryLock);
        command.Parameters.Add(MarkingParameters.Now(database.Clock.Replacement));
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return reader.GetBoolean(0) ? reader.GetFieldValue<Instant>(1) : null;
    }
}
