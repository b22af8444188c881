using System.Globalization;
using Actors.Grains;
using Actors.Grains.Interfaces;
using NodaTime;
using NodaTime.Text;
using Npgsql;

namespace Actors.Silo.Doctor;

/// <summary>Whether cutoffs are being served: agencies, alerts, open runs, and the silos' last sweep.</summary>
internal static class ServingCheck
{
    private static readonly GrainOptions Limits = new();

    /// <summary>What is late is taken up by the next sweep; what several sweeps did not serve needs a hand.</summary>
    private static readonly Duration LateAfter = Duration.FromTimeSpan(Limits.LateAfter + (4 * Limits.SweepPeriod));

    private static readonly Duration SweepAge = Duration.FromTimeSpan(4 * Limits.SweepPeriod);

    /// <summary>The coordinator closes a run at its limit, by its next sweep.</summary>
    private static readonly Duration RunAge = Duration.FromTimeSpan(Limits.RunLimit + (4 * Limits.SweepPeriod));

    private const string Agencies =
        """
        SELECT clock_timestamp(), count(*),
          count(*) FILTER (WHERE paused_at IS NOT NULL),
          count(*) FILTER (WHERE paused_at IS NULL AND next_cutoff_at IS NULL),
          count(*) FILTER (WHERE paused_at IS NULL AND next_cutoff_at < clock_timestamp() - @late_after),
          min(next_cutoff_at) FILTER (WHERE paused_at IS NULL),
          count(*) FILTER (WHERE failed_attempts > 0),
          count(*) FILTER (WHERE set_aside_until > clock_timestamp()),
          (SELECT format('%s: %s', f.agency_id, f.last_error) FROM agency_cutoffs f
           WHERE f.failed_attempts > 0 ORDER BY f.failed_attempts DESC, f.agency_id LIMIT 1)
        FROM agency_cutoffs
        """;

    private const string Alerts =
        """
        SELECT count(*),
          (SELECT message FROM alerts WHERE resolved_at IS NULL
           ORDER BY (severity = 'critical') DESC, raised_at LIMIT 1)
        FROM alerts WHERE resolved_at IS NULL
        """;

    private const string Runs =
        """
        SELECT count(*), min(started_at) FROM jobs_log
        WHERE status = 'running' AND started_at < clock_timestamp() - @run_age
        """;

    private const string Sweep = "SELECT swept_at, swept_by, clock_timestamp() FROM sweeps WHERE job_name = @job_name";

    public static async Task<IReadOnlyList<Finding>> RunAsync(
        NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        batch.BatchCommands.Add(new(Agencies) { Parameters = { new("late_after", LateAfter) } });
        batch.BatchCommands.Add(new(Alerts));
        batch.BatchCommands.Add(new(Runs) { Parameters = { new("run_age", RunAge) } });
        batch.BatchCommands.Add(new(Sweep) { Parameters = { new("job_name", JobNames.UpdateInstallmentStatuses) } });
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);

        await reader.ReadAsync(cancellationToken);
        var findings = new List<Finding>(JudgeAgencies(reader));
        await reader.NextResultAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        findings.Add(JudgeAlerts(reader.GetInt64(0), reader.IsDBNull(1) ? "" : reader.GetString(1)));
        await reader.NextResultAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        findings.Add(JudgeRuns(reader));
        await reader.NextResultAsync(cancellationToken);
        findings.Add(await reader.ReadAsync(cancellationToken)
            ? JudgeSweep(reader.GetFieldValue<Instant>(0), reader.GetString(1), reader.GetFieldValue<Instant>(2))
            : Finding.Warning("sweep", "No silo has ever swept this database: start one with ./actors up."));
        return findings;
    }

    private static IEnumerable<Finding> JudgeAgencies(NpgsqlDataReader row)
    {
        const string Subject = "agencies";
        var (all, paused, unarmed) = (row.GetInt64(1), row.GetInt64(2), row.GetInt64(3));
        var (late, failing, setAside) = (row.GetInt64(4), row.GetInt64(6), row.GetInt64(7));
        if (late > 0)
        {
            yield return Finding.Problem(
                Subject,
                Line($"{late:N0} of {all:N0} late: the earliest unserved cutoff was at ")
                + $"{InstantPattern.General.Format(row.GetFieldValue<Instant>(5))}. A silo catches up by itself: start "
                + "one with ./actors up, or look into its log.");
        }

        if (failing > 0)
        {
            yield return Finding.Problem(
                Subject,
                Line($"{failing:N0} of {all:N0} failing, {setAside:N0} of them set aside for now; most often ")
                + $"{row.GetString(8).ReplaceLineEndings(" ")}. They are tried again by themselves; put right what "
                + "the message says.");
        }

        if (unarmed > 0)
        {
            yield return Finding.Warning(
                Subject,
                Line($"{unarmed:N0} of {all:N0} new or changed, and not yet taken up: the next sweep does that."));
        }

        if (late + failing + unarmed > 0) yield break;
        yield return Finding.Ok(
            Subject, all == 0 ? "None yet." : Line($"{all:N0}: none late, none failing, {paused:N0} paused."));
    }

    private static Finding JudgeAlerts(long open, string worst) => open == 0
        ? Finding.Ok("alerts", "None open.")
        : Finding.Warning("alerts", Line($"{open:N0} open; the worst: {worst.ReplaceLineEndings(" ").TrimEnd('.')}."));

    private static Finding JudgeRuns(NpgsqlDataReader row) => row.GetInt64(0) is > 0 and var stuck
        ? Finding.Problem(
            "runs",
            Line($"{stuck:N0} running for longer than {Limits.RunLimit.TotalMinutes:0} minutes, since ")
            + $"{InstantPattern.General.Format(row.GetFieldValue<Instant>(1))}: no silo sweeps, or it cannot "
            + "close them; start one with ./actors up, or look into its log.")
        : Finding.Ok("runs", Line($"None running for longer than {Limits.RunLimit.TotalMinutes:0} minutes."));

    private static Finding JudgeSweep(Instant sweptAt, string sweptBy, Instant now)
    {
        var when = $"A silo ({sweptBy}) last swept at {InstantPattern.General.Format(sweptAt)}";
        return now - sweptAt <= SweepAge
            ? Finding.Ok("sweep", $"{when}.")
            : Finding.Warning("sweep", $"{when}; none is serving cutoffs now: start one with ./actors up.");
    }

    private static string Line(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
