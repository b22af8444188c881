using System.Text.Json.Serialization;
using Actors.Api.Access;
using Actors.Api.Answers;
using NodaTime;
using Npgsql;

namespace Actors.Api.Jobs;

/// <summary>A row of `jobs_log`: a run of this program, or what another program logged there.</summary>
/// <param name="Id">`jobs_log.id`.</param>
/// <param name="JobName">`update-installment-statuses`, or the name of another program's job.</param>
/// <param name="Status">`running`, `success` or `failed`.</param>
/// <param name="Trigger">`reminder`, `catchUp`, `watchdog` or `api`; null for a row of another program.</param>
/// <param name="StartedAt">When it began.</param>
/// <param name="CompletedAt">When it ended; null while it is running.</param>
/// <param name="DurationSeconds">From the one to the other; null while it is running.</param>
/// <param name="CutoffAt">The instant that it serves; null for catching up, and for what was asked for.</param>
/// <param name="RequestedBy">Who asked for it; null where nobody did.</param>
/// <param name="Reason">Why, in their words.</param>
/// <param name="RecordsUpdated">How many installments it marked; 0 while it is running.</param>
/// <param name="AgenciesAsked">How many agencies a run of all is to reach, while it is being sent out to them.</param>
/// <param name="AgenciesTotal">How many agencies it concerned; null while it is running.</param>
/// <param name="AgenciesMarked">Of how many something was marked; null while it is running.</param>
/// <param name="AgenciesFailed">How many failed; null while it is running.</param>
/// <param name="AgenciesLeft">How many were left unserved at its limit; null where none was.</param>
/// <param name="Error">What went wrong; in lists the first 1,000 characters of it. Null where nothing did.</param>
/// <param name="Failures">Up to 100 agencies that failed. Not in lists.</param>
/// <param name="SoFar">What the ledger has of a run that is running. Not in lists.</param>
public sealed record JobItem(
    Guid Id,
    string JobName,
    string Status,
    string? Trigger,
    Instant StartedAt,
    Instant? CompletedAt,
    double? DurationSeconds,
    Instant? CutoffAt,
    string? RequestedBy,
    string? Reason,
    int? RecordsUpdated,
    int? AgenciesAsked,
    int? AgenciesTotal,
    int? AgenciesMarked,
    int? AgenciesFailed,
    int? AgenciesLeft,
    string? Error,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    IReadOnlyList<JobFailure>? Failures = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    JobProgress? SoFar = null)
{
    /// <summary>The columns of `jobs_log` as `j` that <see cref="Read"/> takes, all but the error.</summary>
    internal const string Columns =
        """
        j.id, j.job_name, j.status::text, j.run_trigger, j.started_at, j.completed_at,
        extract(epoch FROM j.completed_at - j.started_at)::float8, j.records_updated, j.run_facts::text
        """;

    /// <summary>The column after <see cref="Columns"/>.</summary>
    internal const int ErrorColumn = 9;

    internal static IReadOnlyList<CsvColumn<JobItem>> CsvColumns { get; } =
    [
        new("id", job => job.Id),
        new("jobName", job => job.JobName),
        new("status", job => job.Status),
        new("trigger", job => job.Trigger),
        new("startedAt", job => job.StartedAt),
        new("completedAt", job => job.CompletedAt),
        new("durationSeconds", job => job.DurationSeconds),
        new("cutoffAt", job => job.CutoffAt),
        new("requestedBy", job => job.RequestedBy),
        new("reason", job => job.Reason),
        new("recordsUpdated", job => job.RecordsUpdated),
        new("agenciesTotal", job => job.AgenciesTotal),
        new("agenciesMarked", job => job.AgenciesMarked),
        new("agenciesFailed", job => job.AgenciesFailed),
        new("agenciesLeft", job => job.AgenciesLeft),
        new("error", job => job.Error),
    ];

    /// <summary>Reads <see cref="Columns"/> and the error after them.</summary>
    internal static JobItem Read(NpgsqlDataReader reader)
    {
        var facts = JobFacts.Of(reader.TextOrNull(8));
        return new JobItem(
            reader.GetGuid(0),
            reader.GetString(1),
            reader.GetString(2),
            reader.TextOrNull(3) is { } trigger ? DatabaseWord.InAnswers(trigger) : null,
            reader.GetFieldValue<Instant>(4),
            reader.ValueOrNull<Instant>(5),
            reader.ValueOrNull<double>(6),
            facts.CutoffAt,
            facts.RequestedBy,
            facts.Reason,
            reader.ValueOrNull<int>(7),
            facts.AgenciesAsked,
            facts.AgenciesTotal,
            facts.AgenciesMarked,
            facts.AgenciesFailed,
            facts.AgenciesLeft,
            reader.TextOrNull(ErrorColumn));
    }
}

/// <summary>An agency that failed in a run.</summary>
/// <param name="AgencyId">The agency; it may have been deleted since.</param>
/// <param name="Error">What went wrong.</param>
public sealed record JobFailure(Guid AgencyId, string Error);

/// <summary>What the ledger has of a run that is running.</summary>
/// <param name="Agencies">How many agencies have rows.</param>
/// <param name="AgenciesFailed">How many of them failed.</param>
/// <param name="RecordsUpdated">How many installments are marked.</param>
public sealed record JobProgress(int Agencies, int AgenciesFailed, int RecordsUpdated);
