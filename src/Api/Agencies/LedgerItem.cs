using Actors.Api.Access;
using Actors.Api.Answers;
using NodaTime;
using Npgsql;

namespace Actors.Api.Agencies;

/// <summary>One row of an agency's ledger, `agency_runs`: one cutoff that was served, or one run beside them.</summary>
/// <param name="Id">`agency_runs.id`, by which it can be undone.</param>
/// <param name="JobId">The run in `jobs_log` that it is part of.</param>
/// <param name="CutoffDate">The local date; null only for a failure before any date was known.</param>
/// <param name="Cutoff">The instant of that date's cutoff, on the wall clock of then.</param>
/// <param name="Resolution">`once`, `shifted`, `laterOfTwo` or `dateAbsent`: how that instant came about.</param>
/// <param name="ServesCutoff">False for a run that was asked for when nothing was unserved.</param>
/// <param name="Trigger">`reminder`, `catchUp`, `watchdog` or `api`.</param>
/// <param name="RequestedBy">Who asked; null where nobody did.</param>
/// <param name="Reason">Why, in their words.</param>
/// <param name="StartedAt">When it began.</param>
/// <param name="CompletedAt">When it ended.</param>
/// <param name="LateBySeconds">
/// From the later of the cutoff and the last change of settings; null where that says nothing.
/// </param>
/// <param name="Status">`success`, `failed` or `skipped`.</param>
/// <param name="RecordsUpdated">How many installments it alone marked.</param>
/// <param name="Timezone">The zone of then.</param>
/// <param name="OverdueCutoffTime">The cutoff time of then.</param>
/// <param name="TzdbVersion">What decided: a release of the tz database, or `postgresql …`.</param>
/// <param name="Error">What went wrong; null unless failed.</param>
/// <param name="Undone">That it was undone; null where it was not.</param>
public sealed record LedgerItem(
    Guid Id,
    Guid JobId,
    LocalDate? CutoffDate,
    WallTime? Cutoff,
    string? Resolution,
    bool ServesCutoff,
    string Trigger,
    string? RequestedBy,
    string? Reason,
    Instant StartedAt,
    Instant CompletedAt,
    double? LateBySeconds,
    string Status,
    int RecordsUpdated,
    string Timezone,
    LocalTime OverdueCutoffTime,
    string TzdbVersion,
    string? Error,
    UndoneItem? Undone)
{
    /// <summary>The columns that <see cref="Read"/> takes, in its order, of `agency_runs` as `r`.</summary>
    internal const string Columns =
        """
        r.id, r.job_id, r.cutoff_date, r.cutoff_at, r.resolution, r.serves_cutoff, r.trigger, r.requested_by, r.reason,
        r.started_at, r.completed_at, round(extract(epoch FROM r.late_by), 3)::float8, r.status, r.records_updated,
        r.timezone, r.overdue_cutoff_time, r.tzdb_version, r.error_message,
        u.undone_at, u.undone_by, u.reason, cardinality(u.restored_ids), jsonb_array_length(u.left_out)
        """;

    /// <summary>Where they come from; a condition on `r` follows.</summary>
    internal const string Source = "FROM agency_runs r LEFT JOIN agency_run_undos u ON u.agency_run_id = r.id";

    /// <summary>How many columns these are.</summary>
    internal const int Width = 23;

    /// <summary>Reads <see cref="Columns"/>, from a column on.</summary>
    internal static LedgerItem Read(NpgsqlDataReader reader, int from)
    {
        var timezone = reader.GetString(from + 14);
        return new LedgerItem(
            reader.GetGuid(from),
            reader.GetGuid(from + 1),
            reader.ValueOrNull<LocalDate>(from + 2),
            WallTime.At(reader.ValueOrNull<Instant>(from + 3), timezone),
            reader.TextOrNull(from + 4) is { } resolution ? DatabaseWord.InAnswers(resolution) : null,
            reader.GetBoolean(from + 5),
            DatabaseWord.InAnswers(reader.GetString(from + 6)),
            reader.TextOrNull(from + 7),
            reader.TextOrNull(from + 8),
            reader.GetFieldValue<Instant>(from + 9),
            reader.GetFieldValue<Instant>(from + 10),
            reader.ValueOrNull<double>(from + 11),
            reader.GetString(from + 12),
            reader.GetInt32(from + 13),
            timezone,
            reader.GetFieldValue<LocalTime>(from + 15),
            reader.GetString(from + 16),
            reader.TextOrNull(from + 17),
            UndoneItem.ReadOrNull(reader, from + 18));
    }
}

/// <summary>That a run was undone.</summary>
/// <param name="At">When.</param>
/// <param name="By">Who asked for it.</param>
/// <param name="Reason">Why, in their words.</param>
/// <param name="Restored">How many installments became pending again.</param>
/// <param name="LeftOut">How many were left as they were; the run's undo lists them with the reasons.</param>
public sealed record UndoneItem(Instant At, string By, string? Reason, int Restored, int LeftOut)
{
    internal static UndoneItem? ReadOrNull(NpgsqlDataReader reader, int from) => reader.IsDBNull(from)
        ? null
        : new UndoneItem(
            reader.GetFieldValue<Instant>(from),
            reader.GetString(from + 1),
            reader.TextOrNull(from + 2),
            reader.GetInt32(from + 3),
            reader.GetInt32(from + 4));
}
