using Actors.Grains.Cutoffs;
using Actors.Grains.Installments;
using Actors.Grains.Interfaces;
using Microsoft.Extensions.Logging;
using NodaTime;
using Npgsql;
using NpgsqlTypes;

namespace Actors.Grains.Jobs;

/// <summary>What a sweep asks of the database and writes into it; each method is one transaction or less.</summary>
internal sealed partial class SweepStore(
    GrainDatabase database, LastWrites writes, GrainOptions options, ILogger<SweepStore> logger)
{
    /// <summary>
    /// "ACTORSWP" as a number: the advisory lock that keeps two coordinators from sweeping at one time.
    /// </summary>
    internal const long SweepLock = 0x4143_544F_5253_5750;

    /// <summary>
    /// Longer than an agency's own retries take. What was asked of a silo that has died may be lost without a word, and
    /// to ask twice is harmless.
    /// </summary>
    private static readonly Duration AskAgainAfter = Duration.FromSeconds(20);

    private const string TryLock = GrainDatabase.EndWhenIdle
        + "; SELECT pg_try_advisory_xact_lock(@lock), coalesce(@now, clock_timestamp())";

    /// <summary>
    /// New, changed and late agencies, the longest waiting first. Paused ones, those that were set aside and those that
    /// an earlier look has found are left alone.
    /// </summary>
    internal const string FindWork =
        """
        SELECT agency_id
        FROM agency_cutoffs
        WHERE paused_at IS NULL
          AND (next_cutoff_at IS NULL OR next_cutoff_at < @now - @late_after)
          AND (set_aside_until IS NULL OR set_aside_until <= @now)
          AND agency_id <> ALL (@under_way)
        ORDER BY next_cutoff_at NULLS FIRST
        LIMIT @limit
        """;

    /// <summary>One open alert for as long as cutoffs are late, set aside or not; resolved when none is.</summary>
    internal const string AlertLate =
        """
        WITH late AS (
          SELECT count(*) AS agencies, min(next_cutoff_at) AS first_cutoff_at, min(agency_id::text)::uuid AS agency_id
          FROM agency_cutoffs
          WHERE paused_at IS NULL AND next_cutoff_at < @now - @late_after
        ), resolved AS (
          UPDATE alerts SET resolved_at = @now
          WHERE dedup_key = 'cutoff_late:' || @job_name AND resolved_at IS NULL
            AND (SELECT agencies FROM late) = 0
        )
        SELECT agencies, CASE WHEN agencies > 0 THEN
          raise_alert('cutoff_late', 'critical', 'cutoff_late:' || @job_name,
            CASE WHEN agencies = 1 THEN agency_id END, NULL,
            format('%s unserved after the cutoff; the earliest of these cutoffs was at %s UTC',
              CASE WHEN agencies = 1 THEN '1 agency is' ELSE to_char(agencies, 'FM999,999,999') || ' agencies are' END,
              to_char(first_cutoff_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')),
            jsonb_build_object('agencies', agencies, 'first_cutoff_at', first_cutoff_at), @now)
          END
        FROM late
        """;

    /// <summary>
    /// Closes the alerts of what is well again, is paused, or is gone. One that somebody holds is left to the next
    /// sweep.
    /// </summary>
    internal const string ResolveProblems =
        """
        UPDATE alerts a SET resolved_at = @now
        FROM (
          SELECT a.id FROM alerts a
          WHERE a.resolved_at IS NULL AND a.kind IN ('run_failed', 'run_stuck', 'agency_failed')
            AND NOT EXISTS (
              SELECT FROM agency_cutoffs c
              WHERE a.kind = 'agency_failed' AND c.agency_id = a.agency_id AND c.failed_attempts > 0)
            AND NOT EXISTS (
              SELECT FROM agency_runs r
              JOIN agency_cutoffs c ON c.agency_id = r.agency_id
              WHERE r.job_id = a.job_id AND r.status = 'failed' AND c.failed_attempts > 0)
            AND NOT EXISTS (
              SELECT FROM agency_cutoffs c
              WHERE a.kind = 'run_stuck' AND c.paused_at IS NULL
                AND c.next_cutoff_at = (a.details ->> 'cutoff_at')::timestamptz)
          FOR NO KEY UPDATE OF a SKIP LOCKED) AS free
        WHERE a.id = free.id
        """;

    private const string NoteSweep =
        """
        INSERT INTO sweeps (job_name, swept_at, swept_by, agencies_found) VALUES (@job_name, @now, @silo, @found)
        ON CONFLICT (job_name) DO UPDATE
        SET swept_at = excluded.swept_at, swept_by = excluded.swept_by, agencies_found = excluded.agencies_found
        """;

    /// <summary>
    /// Instants that an older TZDB release computed are computed anew, unless they have passed already; agencies that
    /// were inserted while the trigger was disabled get their watermark. What a newer release computed stays: while
    /// silos of two versions run, one must not undo what the other did.
    /// </summary>
    private const string Repair =
        """
        WITH missing AS (
          INSERT INTO agency_cutoffs (agency_id)
          SELECT a.id FROM agencies a WHERE NOT EXISTS (SELECT FROM agency_cutoffs c WHERE c.agency_id = a.id)
          ON CONFLICT DO NOTHING
        )
        UPDATE agency_cutoffs c SET next_cutoff_date = NULL, next_cutoff_at = NULL, tzdb_version = NULL
        FROM (
          SELECT agency_id FROM agency_cutoffs
          WHERE tzdb_version < @tzdb_version COLLATE "C" AND next_cutoff_at > coalesce(@now, clock_timestamp())
          ORDER BY agency_id
          -- Whoever holds one is at work on it, or makes the sweep wait for ever. A minute later it is tried again.
          FOR NO KEY UPDATE SKIP LOCKED) AS old
        WHERE c.agency_id = old.agency_id
        """;

    private const string FindAgenciesToRun =
        """
        SELECT c.agency_id
        FROM agency_cutoffs c
        WHERE c.paused_at IS NULL
          AND (@meant::uuid[] IS NULL OR c.agency_id = ANY (@meant))
          AND NOT EXISTS (
            SELECT FROM agency_runs r WHERE r.job_id = @job AND r.agency_id = c.agency_id AND r.status <> 'failed')
        ORDER BY c.agency_id
        """;

    /// <summary>What a sweep has to do before it looks, once a minute: it reads every agency's watermark.</summary>
    public async Task RepairAsync(CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand(Repair);
        command.Parameters.AddWithValue("tzdb_version", ZoneCatalogue.TzdbVersion);
        command.Parameters.Add(MarkingParameters.Now(database.Clock.Replacement));
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>
    /// Finds one wave of work, raises and resolves alerts, and notes that it swept. Null when another coordinator
    /// sweeps at this moment.
    /// </summary>
    /// <param name="silo">Who sweeps.</param>
    /// <param name="lateAfter">A cutoff that passed less long ago is left to its tick.</param>
    /// <param name="underWay">Agencies that have been asked, and have not answered yet: left out for a while.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<SweepFinding?> FindAsync(
        string silo, Duration lateAfter, IReadOnlyDictionary<AgencyId, AskedAgencies> underWay,
        CancellationToken cancellationToken)
    {
        try
        {
            var finding = await FindOnceAsync(silo, lateAfter, underWay, cancellationToken);
            if (finding is not null) writes.NoteCommitted();
            return finding;
        }
        catch (Exception error)
        {
            writes.NoteFailed(error);
            throw;
        }
    }

    private async Task<SweepFinding?> FindOnceAsync(
        string silo, Duration lateAfter, IReadOnlyDictionary<AgencyId, AskedAgencies> underWay,
        CancellationToken cancellationToken)
    {
        await using var connection = await database.Source.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        if (await TryLockAsync(connection, cancellationToken) is not { } now) return null;

        var agencies = await FindWorkAsync(connection, now, lateAfter, underWay, cancellationToken);
        var late = await AlertAsync(connection, now, cancellationToken);
        var note = At(NoteSweep, now);
        note.Parameters.AddWithValue("silo", silo);
        note.Parameters.AddWithValue("found", agencies.Count);
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { note } };
        await batch.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        GrainTelemetry.Swept(late);
        return new SweepFinding(now, agencies);
    }

    /// <summary>
    /// Answers how many agencies are late. No sweep waits for what somebody holds of `alerts`, a row or all: the next
    /// one tells, and this one answers null.
    /// </summary>
    private async Task<long?> AlertAsync(NpgsqlConnection connection, Instant now, CancellationToken cancellationToken)
    {
        try
        {
            await using var batch = new NpgsqlBatch(connection)
            {
                BatchCommands =
                {
                    new NpgsqlBatchCommand("SAVEPOINT alerts"),
                    new NpgsqlBatchCommand("SET LOCAL lock_timeout = 1000"),
                    // Alerts of runs first, as where a run is closed: two that wait for each other's would be a
                    // deadlock.
                    At(ResolveProblems, now),
                    At(AlertLate, now),
                    new NpgsqlBatchCommand("SET LOCAL lock_timeout TO DEFAULT"),
                },
            };
            // The only one of them that answers with a row tells how many agencies are late.
            await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
            await reader.ReadAsync(cancellationToken);
            var late = reader.GetInt64(0);
            // What fails after it is told here, and not when the reader is closed.
            await reader.NextResultAsync(cancellationToken);
            return late;
        }
        catch (PostgresException held) when (DatabaseErrors.IsLockTimeout(held))
        {
            LogAlertIsHeld(held.MessageText);
            await using var back = new NpgsqlCommand("ROLLBACK TO SAVEPOINT alerts", connection);
            await back.ExecuteNonQueryAsync(cancellationToken);
            return null;
        }
    }

    /// <summary>
    /// The agencies of a run that somebody asks for, in the order of ids: of those that are meant, the ones that are
    /// there, are not paused, and have not been served by this very run before.
    /// </summary>
    public async Task<(IReadOnlyList<AgencyId> Agencies, Instant Now)> AgenciesToRunAsync(
        RunAllRequest request, CancellationToken cancellationToken)
    {
        await using var connection = await database.Source.OpenConnectionAsync(cancellationToken);
        await using var agencies = new NpgsqlCommand(FindAgenciesToRun, connection);
        agencies.Parameters.AddWithValue("job", request.Job.Value);
        agencies.Parameters.Add(new NpgsqlParameter("meant", NpgsqlDbType.Array | NpgsqlDbType.Uuid)
        {
            Value = request.Agencies?.Select(agency => agency.Value).ToArray() ?? (object)DBNull.Value,
        });
        var found = await ReadAgenciesAsync(agencies, cancellationToken);

        await using var now = new NpgsqlCommand(DatabaseClock.Now, connection);
        now.Parameters.Add(MarkingParameters.Now(database.Clock.Replacement));
        await using var reader = await now.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return (found, reader.GetFieldValue<Instant>(0));
    }

    private async Task<Instant?> TryLockAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(TryLock, connection);
        command.Parameters.AddWithValue("lock", SweepLock);
        command.Parameters.Add(MarkingParameters.Now(database.Clock.Replacement));
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return reader.GetBoolean(0) ? reader.GetFieldValue<Instant>(1) : null;
    }

    private async Task<IReadOnlyList<AgencyId>> FindWorkAsync(
        NpgsqlConnection connection, Instant now, Duration lateAfter,
        IReadOnlyDictionary<AgencyId, AskedAgencies> underWay, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(FindWork, connection);
        command.Parameters.AddWithValue(
            "under_way",
            underWay.Where(asked => now - asked.Value.At < AskAgainAfter).Select(asked => asked.Key.Value).ToArray());
        command.Parameters.AddWithValue("now", now);
        command.Parameters.AddWithValue("late_after", NpgsqlDbType.Interval, lateAfter);
        command.Parameters.AddWithValue("limit", options.WaveSize);
        return await ReadAgenciesAsync(command, cancellationToken);
    }

    private static async Task<IReadOnlyList<AgencyId>> ReadAgenciesAsync(
        NpgsqlCommand command, CancellationToken cancellationToken)
    {
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var agencies = new List<AgencyId>();
        while (await reader.ReadAsync(cancellationToken)) agencies.Add(new AgencyId(reader.GetGuid(0)));
        return agencies;
    }

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "Alerts are neither raised nor resolved in this sweep, since somebody holds them: {Error}")]
    private partial void LogAlertIsHeld(string error);

    private NpgsqlBatchCommand At(string sql, Instant now) => new(sql)
    {
        Parameters =
        {
            new NpgsqlParameter("now", NpgsqlDbType.TimestampTz) { Value = now },
            new NpgsqlParameter("job_name", JobNames.UpdateInstallmentStatuses),
            new NpgsqlParameter("late_after", NpgsqlDbType.Interval)
            {
                Value = Duration.FromTimeSpan(options.LateAfter),
            },
        },
    };
}

/// <summary>One wave of a sweep.</summary>
/// <param name="At">The database's clock; it names the wave's run.</param>
internal sealed record SweepFinding(Instant At, IReadOnlyList<AgencyId> Agencies);
