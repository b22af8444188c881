using Actors.Grains.Cutoffs;
using Actors.Grains.Installments;
using Actors.Grains.Interfaces;
using Actors.Grains.Jobs;
using NodaTime;
using Npgsql;
using NpgsqlTypes;

namespace Actors.Grains.Agencies;

/// <summary>
/// Sets and clears the pause of an agency, and writes the dates that are skipped. Each method is one transaction under
/// the agency's watermark, with its note in `agency_changes`: all of it, or none.
/// </summary>
internal sealed class AgencyPauses(AgencyTransactions transactions, JobsLog jobsLog, GrainOptions options)
{
    /// <summary>How often a run's row may be found closed before it is written to.</summary>
    private const int OpeningsAtMost = 3;

    private const string Pause =
        "UPDATE agency_cutoffs SET paused_at = @at, paused_reason = @reason WHERE agency_id = @agency";

    /// <summary>
    /// As after a change of settings: the next instant is unknown, so that the sweep takes the agency up if nobody
    /// comes before it, and no alert calls late what passed in the pause. Lateness counts from here.
    /// </summary>
    private const string Clear =
        """
        UPDATE agency_cutoffs
        SET paused_at = NULL, paused_reason = NULL, settings_changed_at = @at, set_aside_until = NULL,
            next_cutoff_date = NULL, next_cutoff_at = NULL, tzdb_version = NULL
        WHERE agency_id = @agency
        """;

    private const string Skip =
        """
        WITH ledger AS (
          INSERT INTO agency_runs (
            job_id, agency_id, cutoff_date, cutoff_at, serves_cutoff, trigger, requested_by, reason,
            started_at, completed_at, status, timezone, overdue_cutoff_time, resolution, tzdb_version)
          SELECT @job, @agency, d.cutoff_date, d.cutoff_at, true, 'api', @by, @reason,
                 @at, coalesce(@now, clock_timestamp()), 'skipped', @timezone, @time, d.resolution, @tzdb_version
          FROM unnest(@dates, @ats, @resolutions) AS d (cutoff_date, cutoff_at, resolution)
          -- A failed attempt owns its date's row; what is skipped takes it over.
          ON CONFLICT (agency_id, cutoff_date) WHERE serves_cutoff DO UPDATE
          SET job_id = excluded.job_id, cutoff_at = excluded.cutoff_at, trigger = excluded.trigger,
              requested_by = excluded.requested_by, reason = excluded.reason, started_at = excluded.started_at,
              completed_at = excluded.completed_at, late_by = NULL, status = excluded.status,
              timezone = excluded.timezone, overdue_cutoff_time = excluded.overdue_cutoff_time,
              resolution = excluded.resolution, tzdb_version = excluded.tzdb_version, error_message = NULL
          WHERE agency_runs.status = 'failed'
          RETURNING cutoff_date
        )
        SELECT count(*)::integer FROM ledger
        """;

    /// <summary>The watermark after a wave; the last wave ends the pause with it.</summary>
    private const string Advance =
        """
        UPDATE agency_cutoffs
        SET last_cutoff_date = @last_date, last_cutoff_at = @last_at,
            next_cutoff_date = @next_date, next_cutoff_at = @next_at, tzdb_version = @tzdb_version,
            set_aside_until = NULL, failed_attempts = 0, last_error = NULL,
            paused_at = CASE WHEN @more THEN paused_at END,
            paused_reason = CASE WHEN @more THEN paused_reason END,
            settings_changed_at = CASE WHEN @more THEN settings_changed_at ELSE @at END
        WHERE agency_id = @agency
        """;

    public Task<PauseOutcome> PauseAsync(
        AgencyId agency, string by, string reason, CancellationToken cancellationToken) =>
        transactions.LockedAsync(agency, async (transaction, state, now) =>
        {
            if (state is null) return PauseOutcome.NotFound;
            if (state.IsPaused) return PauseOutcome.AlreadyPaused;

            await using var pause = transaction.CreateCommand(Pause);
            pause.Parameters.AddWithValue("agency", agency.Value);
            pause.Parameters.AddWithValue("at", now);
            pause.Parameters.AddWithValue("reason", reason);
            await pause.ExecuteNonQueryAsync(cancellationToken);
            await ChangeNote.OfPause(agency, now, by, reason).WriteAsync(transaction, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            return PauseOutcome.Paused;
        }, cancellationToken);

    /// <summary>Lets the agency be served again; what has passed meanwhile is left to whoever serves it.</summary>
    public Task<ResumeOutcome> ClearAsync(
        AgencyId agency, string by, string reason, CancellationToken cancellationToken) =>
        transactions.LockedAsync(agency, async (transaction, state, now) =>
        {
            if (state is null) return ResumeOutcome.NotFound;
            if (!state.IsPaused) return ResumeOutcome.NotPaused;

            await using var clear = transaction.CreateCommand(Clear);
            clear.Parameters.AddWithValue("agency", agency.Value);
            clear.Parameters.AddWithValue("at", now);
            await clear.ExecuteNonQueryAsync(cancellationToken);
            var note = ChangeNote.OfResume(agency, now, by, reason, ResumeMode.CatchUp);
            await note.WriteAsync(transaction, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            return ResumeOutcome.Resumed;
        }, cancellationToken);

    /// <summary>
    /// Skips one wave of dates under the run; the last wave ends the pause. A run that was closed meanwhile is replaced
    /// by one of a new id.
    /// </summary>
    /// <exception cref="UnknownTimezoneException">No date can be told; nothing was written.</exception>
    public async Task<SkippedWave> SkipWaveAsync(
        AgencyId agency, JobId job, string by, string reason, CancellationToken cancellationToken)
    {
        for (var opening = 1; opening <= OpeningsAtMost; opening++)
        {
            // The row is opened before the agency is locked, so that nobody waits for a second connection with a lock.
            var (seen, seenAt) = await transactions.PeekAsync(agency, cancellationToken);
            var request = new RunRequest(RunTrigger.Api, job, by, reason);
            if (seen is { IsPaused: true } && PlanFor(seen, seenAt).Runs.Count > 0)
            {
                var row = new JobPlan(job, RunTrigger.Api, null, by, reason);
                await jobsLog.OpenAsync([row], seenAt, cancellationToken);
            }

            var wave = await transactions.LockedAsync(
                agency,
                (transaction, state, now) => SkipLockedAsync(transaction, state, request, now, cancellationToken),
                cancellationToken);
            if (wave is not null) return wave;
            job = new JobId(Guid.NewGuid());
        }

        throw new TimeoutException("The run was closed while it was being opened.");
    }

    /// <summary>Null when the run's row is not open.</summary>
    private async Task<SkippedWave?> SkipLockedAsync(
        WatermarkTransaction transaction, AgencyState? state, RunRequest request, Instant now,
        CancellationToken cancellationToken)
    {
        if (state is null) return SkippedWave.Nothing(ResumeOutcome.NotFound, now);
        if (!state.IsPaused) return SkippedWave.Nothing(ResumeOutcome.NotPaused, now);

        var plan = PlanFor(state, now);
        var job = request.Job!.Value;
        if (plan.Runs.Count > 0)
        {
            var row = new JobPlan(job, request.Trigger);
            if ((await transaction.ShareOpenJobsAsync([row], cancellationToken)).Count == 0) return null;
        }

        await WriteAsync(transaction, plan, request, now, cancellationToken);
        if (!plan.More)
        {
            var note = ChangeNote.OfResume(state.Agency, now, request.RequestedBy!, request.Reason!, ResumeMode.Skip);
            await note.WriteAsync(transaction, cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
        return new SkippedWave(
            ResumeOutcome.Resumed, plan.Runs.Count > 0 ? job : null,
            [.. plan.Runs.Select(run => new ServedCutoff(run.Cutoff.Date, run.Cutoff.At, run.Serves, 0))],
            now, plan.Next.At, plan.More);
    }

    private AgencyPlan PlanFor(AgencyState state, Instant now)
    {
        var zone = ZoneCatalogue.Find(state.Timezone) ?? throw new UnknownTimezoneException(state.Timezone);
        var clock = new CutoffClock(zone, state.CutoffTime);
        return AgencyPlan.Decide(state, clock, now, asked: false, options.DatesPerTransaction);
    }

    private static async Task WriteAsync(
        WatermarkTransaction transaction, AgencyPlan plan, RunRequest request, Instant now,
        CancellationToken cancellationToken)
    {
        await using var batch = transaction.CreateBatch();
        var planned = new PlannedAgency(plan, request);
        batch.BatchCommands.Add(Advancing(plan, now));
        MarkingParameters.AddFailureRepairs(batch, new MarkingBatch([planned], [], now), transaction.ClockReplacement);
        batch.BatchCommands.Add(Skipping(plan, request, now, transaction.ClockReplacement));
        var written = (int)(await batch.ExecuteScalarAsync(cancellationToken))!;
        if (written != plan.Runs.Count)
        {
            throw new InvalidOperationException(
                $"The ledger says that dates from {plan.Runs[0].Cutoff.Date:uuuu-MM-dd} on were served for agency "
                + $"{plan.State.Agency}, but its watermark stands at {plan.State.LastDate:uuuu-MM-dd}.");
        }
    }

    private static NpgsqlBatchCommand Advancing(AgencyPlan plan, Instant now)
    {
        var (lastDate, lastAt) = plan.WatermarkAfter;
        return new NpgsqlBatchCommand(Advance)
        {
            Parameters =
            {
                new NpgsqlParameter("agency", plan.State.Agency.Value),
                new NpgsqlParameter("at", now),
                new NpgsqlParameter("last_date", NpgsqlDbType.Date) { Value = (object?)lastDate ?? DBNull.Value },
                new NpgsqlParameter("last_at", NpgsqlDbType.TimestampTz) { Value = (object?)lastAt ?? DBNull.Value },
                new NpgsqlParameter("next_date", plan.Next.Date),
                new NpgsqlParameter("next_at", plan.Next.At),
                new NpgsqlParameter("tzdb_version", ZoneCatalogue.TzdbVersion),
                new NpgsqlParameter("more", plan.More),
            },
        };
    }

    private static NpgsqlBatchCommand Skipping(
        AgencyPlan plan, RunRequest request, Instant startedAt, NpgsqlParameter now) => new(Skip)
    {
        Parameters =
        {
            new NpgsqlParameter("job", request.Job!.Value.Value),
            new NpgsqlParameter("agency", plan.State.Agency.Value),
            new NpgsqlParameter("by", request.RequestedBy),
            new NpgsqlParameter("reason", request.Reason),
            new NpgsqlParameter("at", startedAt),
            now,
            new NpgsqlParameter("timezone", plan.State.Timezone),
            new NpgsqlParameter("time", plan.State.CutoffTime),
            new NpgsqlParameter("tzdb_version", ZoneCatalogue.TzdbVersion),
            new NpgsqlParameter("dates", plan.Runs.Select(run => run.Cutoff.Date).ToArray()),
            new NpgsqlParameter("ats", plan.Runs.Select(run => run.Cutoff.At).ToArray()),
            new NpgsqlParameter("resolutions", plan.Runs.Select(run => RunWords.Of(run.Cutoff.Resolution)).ToArray()),
        },
    };
}

/// <summary>One wave of dates that were skipped, all of it committed.</summary>
/// <param name="Outcome">Resumed also where more waves follow; else why nothing was written.</param>
/// <param name="Job">The run under which the rows stand; null when no date was unserved.</param>
/// <param name="Skipped">The ledger rows, in the order of dates.</param>
/// <param name="Now">The database's clock in that transaction.</param>
/// <param name="Next">The next cutoff; null when nothing was written.</param>
/// <param name="More">Further dates are unserved, and the agency is still paused.</param>
internal sealed record SkippedWave(
    ResumeOutcome Outcome, JobId? Job, IReadOnlyList<ServedCutoff> Skipped, Instant Now, Instant? Next, bool More)
{
    public static SkippedWave Nothing(ResumeOutcome outcome, Instant now) => new(outcome, null, [], now, null, false);
}
