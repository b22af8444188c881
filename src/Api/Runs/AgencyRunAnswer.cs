using System.Text.Json.Serialization;
using Actors.Api.Errors;
using Actors.Grains.Interfaces;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using NodaTime;

namespace Actors.Api.Runs;

/// <summary>What a run of one agency marked.</summary>
/// <param name="AgencyId">The agency.</param>
/// <param name="JobId">The row of `jobs_log`; null when nothing was written.</param>
/// <param name="Outcome">`upToDate`, or `nothingUnserved` when nothing was written.</param>
/// <param name="RecordsUpdated">How many installments this run alone marked.</param>
/// <param name="Transitions">The same, by the change of status.</param>
/// <param name="Cutoffs">The ledger rows that it wrote, in the order of dates.</param>
/// <param name="NextCutoffAt">When the agency's installments are looked at next by themselves.</param>
public sealed record AgencyRunAnswer(
    Guid AgencyId,
    Guid? JobId,
    string Outcome,
    int RecordsUpdated,
    StatusTransitions Transitions,
    IReadOnlyList<CutoffAnswer> Cutoffs,
    Instant? NextCutoffAt)
{
    /// <summary>
    /// The answer that an outcome deserves. A run that failed for what need not pass by itself (the agency's zone, a
    /// trigger of the application), or is recorded as failed, is 409. One that left no trace and may pass is 503: the
    /// same request may well succeed in a moment.
    /// </summary>
    public static Results<Ok<AgencyRunAnswer>, ProblemHttpResult> Decide(AgencyRunResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        return result.Outcome switch
        {
            AgencyRunOutcome.UpToDate => TypedResults.Ok(From(result, "upToDate")),
            AgencyRunOutcome.NothingUnserved => TypedResults.Ok(From(result, "nothingUnserved")),
            AgencyRunOutcome.NotFound => NotFound($"No agency has the id {result.Agency}."),
            AgencyRunOutcome.Paused => Paused(result.Agency),
            AgencyRunOutcome.Failed => Failed(result),
            _ => throw new ArgumentOutOfRangeException(
                nameof(result), result.Outcome, "The API does not know this outcome of a run."),
        };
    }

    internal static ProblemHttpResult NotFound(string sentence) =>
        new ApiError(404, "agency-not-found", "Agency not found", sentence).ToProblem();

    private static ProblemHttpResult Paused(AgencyId agency) =>
        new ApiError(
            409, "agency-paused", "Agency paused",
            $"The agency {agency} is paused: resume it, then ask again, with another Idempotency-Key if this had one.")
        .ToProblem(("agencyId", agency.Value));

    private static ProblemHttpResult Failed(AgencyRunResult result) => result.Job is not null || !result.MayPass
        ? new ApiError(
                409, "agency-run-failed", "Run failed",
                result.Error ?? $"The run of the agency {result.Agency} failed; agency_runs says why.")
            .ToProblem(
                ("agencyId", result.Agency.Value), ("jobId", result.Job?.Value),
                ("recordsUpdated", result.RecordsUpdated))
        : new ApiError(
                503, "agency-run-not-recorded", "Run not recorded",
                $"The run of the agency {result.Agency} failed, and the database did not take a note of it. Trying "
                + "again is harmless: a run marks nothing twice.")
            .ToProblem(("agencyId", result.Agency.Value));

    private static AgencyRunAnswer From(AgencyRunResult result, string outcome) => new(
        result.Agency.Value,
        result.Job?.Value,
        outcome,
        result.RecordsUpdated,
        new StatusTransitions(result.RecordsUpdated),
        [.. result.Served.Select(served => new CutoffAnswer(
            served.CutoffDate, served.CutoffAt, served.ServesCutoff, served.RecordsUpdated))],
        result.Next);
}

/// <summary>One row of the ledger, `agency_runs`.</summary>
/// <param name="CutoffDate">The agency's local date.</param>
/// <param name="CutoffAt">The instant of that date's cutoff.</param>
/// <param name="ServesCutoff">False where nothing was unserved and somebody asked all the same.</param>
/// <param name="RecordsUpdated">How many installments it alone marked.</param>
public sealed record CutoffAnswer(LocalDate CutoffDate, Instant CutoffAt, bool ServesCutoff, int RecordsUpdated);

/// <summary>How many installments changed from which status to which.</summary>
public sealed record StatusTransitions([property: JsonPropertyName("pending_to_overdue")] int PendingToOverdue);
