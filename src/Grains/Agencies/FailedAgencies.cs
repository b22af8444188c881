using Actors.Grains.Cutoffs;
using Actors.Grains.Installments;
using Actors.Grains.Interfaces;
using Actors.Grains.Jobs;
using NodaTime;
using Npgsql;
using NpgsqlTypes;

namespace Actors.Grains.Agencies;

/// <summary>
/// Writes down that an agency could not be brought up to date: its date's ledger row, its pause, and an alert, in one
/// transaction. Its watermark stays behind, where the sweep sees it.
/// </summary>
internal sealed class FailedAgencies(GrainDatabase database, JobsLog jobsLog, GrainOptions options) : IDisposable
{
    /// <summary>A herd of failures, as when a database comes back, must not take the marker's connections.</summary>
    private const int AtOnce = 4;

    private const string Read =
        """
        SELECT c.next_cutoff_at, coalesce(@now, clock_timestamp()), c.last_cutoff_date, a.timezone,
               a.overdue_cutoff_time
        FROM agency_cutoffs c
        JOIN agencies a ON a.id = c.agency_id
        WHERE c.agency_id = @agency
        """;

    private const string Lock = GrainDatabase.EndWhenIdle
        + "; SELECT agency_id FROM agency_cutoffs WHERE agency_id = @agency FOR NO KEY UPDATE SKIP LOCKED";

    /// <summary>Who holds the agency's alert keeps it, and its place here, for no longer than this.</summary>
    private const string Note =
        """
        SET LOCAL lock_timeout = 2000;
        SELECT note_agency_failure(
          @agency, @job, @now, @trigger, @requested_by, @reason, @error, @tzdb_version, @first_pause)
        """;

    private readonly SemaphoreSlim _places = new(AtOnce);

    /// <summary>
    /// Answers the run under which the failure stands; null when there was nothing to write on: the agency is gone,
    /// somebody else is at work on it at this moment, or none of its dates is unserved. A failure owns the row of a
    /// date that has passed, and never that of one to come: whoever asked when nothing was due alone learns of it.
    /// </summary>
    public async Task<JobId?> NoteAsync(
        AgencyId agency, RunRequest request, string error, CancellationToken cancellationToken)
    {
        await _places.WaitAsync(cancellationToken);
        try
        {
            return await NoteOneAsync(agency, request, error, cancellationToken);
        }
        finally
        {
            _places.Release();
        }
    }

    private async Task<JobId?> NoteOneAsync(
        AgencyId agency, RunRequest request, string error, CancellationToken cancellationToken)
    {
        await using var look = database.Source.CreateCommand(Read);
        if (await ReadAsync(look, agency, cancellationToken) is not var (nextAt, now)) return null;

        var job = JobFor(request, nextAt, now);
        await jobsLog.OpenAsync([job], now, cancellationToken);
        await using var connection = await database.Source.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        // Whoever held it may have served it since: look again, now that nobody else can.
        await using var hold = new NpgsqlCommand(Lock, connection) { Parameters = { new("agency", agency.Value) } };
        if (await hold.ExecuteScalarAsync(cancellationToken) is null) return null;
        await using var again = new NpgsqlCommand(Read, connection);
        if (await ReadAsync(again, agency, cancellationToken) is null) return null;
        if (!await IsOpenAsync(connection, job, cancellationToken))
        {
            job = JobPlan.ForCatchUp(now);
            await jobsLog.OpenAsync([job], now, cancellationToken);
        }

        var noted = await NoteAsync(connection, agency, job, request, error, now, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return noted ? job.Id : null;
    }

    public void Dispose() => _places.Dispose();

    private JobPlan JobFor(RunRequest request, Instant? nextAt, Instant now) => (request, nextAt) switch
    {
        ({ Job: { } id }, _) => new JobPlan(id, request.Trigger, null, request.RequestedBy, request.Reason),
        (_, { } at) when at <= now && now - at < Duration.FromTimeSpan(options.RunLimit) => JobPlan.ForCutoff(at),
        _ => JobPlan.ForCatchUp(now),
    };

    private async Task<(Instant? NextAt, Instant Now)?> ReadAsync(
        NpgsqlCommand command, AgencyId agency, CancellationToken cancellationToken)
    {
        command.Parameters.AddWithValue("agency", agency.Value);
        command.Parameters.Add(MarkingParameters.Now(database.Clock.Replacement));
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken)) return null;
        if (IsServed(reader)) return null;
        return (reader.IsDBNull(0) ? null : reader.GetFieldValue<Instant>(0), reader.GetFieldValue<Instant>(1));
    }

    private static bool IsServed(NpgsqlDataReader row) =>
        !row.IsDBNull(2)
        && ZoneCatalogue.Find(row.GetString(3)) is { } zone
        && new CutoffClock(zone, row.GetFieldValue<LocalTime>(4)).LastPassed(row.GetFieldValue<Instant>(1)).Date
            <= row.GetFieldValue<LocalDate>(2);

    private static async Task<bool> IsOpenAsync(
        NpgsqlConnection connection, JobPlan job, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(JobsLog.ShareOpen, connection);
        command.Parameters.AddWithValue("jobs", new[] { job.Id.Value });
        return await command.ExecuteScalarAsync(cancellationToken) is not null;
    }

    private async Task<bool> NoteAsync(
        NpgsqlConnection connection, AgencyId agency, JobPlan job, RunRequest request, string error, Instant now,
        CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Note, connection);
        command.Parameters.AddWithValue("agency", agency.Value);
        command.Parameters.AddWithValue("job", job.Id.Value);
        command.Parameters.AddWithValue("now", now);
        command.Parameters.AddWithValue("trigger", RunWords.Of(request.Trigger));
        command.Parameters.AddWithValue(
            "requested_by", NpgsqlDbType.Text, (object?)request.RequestedBy ?? DBNull.Value);
        command.Parameters.AddWithValue("reason", NpgsqlDbType.Text, (object?)request.Reason ?? DBNull.Value);
        command.Parameters.AddWithValue("error", error);
        command.Parameters.AddWithValue("tzdb_version", ZoneCatalogue.TzdbVersion);
        command.Parameters.AddWithValue(
            "first_pause", NpgsqlDbType.Interval, Duration.FromTimeSpan(options.FirstSetAside));
        return (bool)(await command.ExecuteScalarAsync(cancellationToken))!;
    }
}
