using System.Security.Claims;
using Actors.Api.Access;
using Actors.Api.Answers;
using Actors.Api.Errors;
using Actors.Grains.Interfaces;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Npgsql;

namespace Actors.Api.Agencies;

/// <summary>
/// `POST /api/agency-runs/{id}/undo`: makes pending again what one run of an agency marked, as far as nothing has
/// happened to it since. The agency's next cutoff decides anew.
/// </summary>
internal static class RunUndoing
{
    private const string AgencyOfRun =
        """
        SELECT r.agency_id, r.timezone FROM agency_runs r WHERE r.id = @run
        """;

    public static void MapRunUndoing(this ApiRoutes api) => api.Admins
        .MapPost("/agency-runs/{id}/undo", UndoAsync)
        .WithName("undoAgencyRun")
        .WithSummary("Undoes a run of one agency: what it marked is pending again, as far as that is still possible.")
        .WithTags("Agencies")
        .Accepts<ReasonBody>("application/json")
        .Fails(
            StatusCodes.Status404NotFound, StatusCodes.Status409Conflict, StatusCodes.Status504GatewayTimeout);

    private static async Task<Results<Ok<UndoAnswer>, ProblemHttpResult>> UndoAsync(
        string id, HttpContext context, ClaimsPrincipal user, [FromServices] CallerDatabase database,
        [FromServices] IGrainFactory grains)
    {
        if (!Guid.TryParseExact(id, "D", out var run)) return NotFound(id);
        var (reason, refusal) = await ReasonBody.ReadAsync(context.Request);
        if (refusal is not null) return refusal;
        var caller = Caller.Of(user);
        var cancellationToken = context.RequestAborted;
        if (await AgencyOfAsync(database, caller, run, cancellationToken) is not var (agency, timezone))
            return NotFound(id);
        try
        {
            var result = await grains.GetGrain<IAgencyGrain>(agency).UndoRunAsync(run, caller.Name, reason!);
            if (result.Outcome != UndoOutcome.Undone) return Refusal(id, agency, result);
            var rule = await AgencyRule.TryAskAsync(grains, agency, 1, cancellationToken);
            return TypedResults.Ok(UndoAnswer.From(agency, result, rule, timezone));
        }
        catch (TimeoutException)
        {
            return AgencyVerbs.TimedOut(agency);
        }
    }

    internal static ProblemHttpResult Refusal(string id, Guid agency, UndoResult result) => result.Outcome switch
    {
        UndoOutcome.NotFound => NotFound(id),
        UndoOutcome.AlreadyUndone => new ApiError(
            409, "run-already-undone", "Run already undone", "This run was undone before; nothing was changed.")
            .ToProblem(("agencyId", agency), ("undoneAt", result.At), ("restored", result.Restored)),
        UndoOutcome.NothingToUndo => new ApiError(
            409, "nothing-to-undo", "Nothing to undo",
            result.LeftOutCount == 0
                ? "This run marked nothing."
                : "Nothing that this run marked can be restored; `leftOut` says why. Nothing was changed.")
            .ToProblem(
                ("agencyId", agency),
                ("leftOut", LeftOutItem.Of(result)),
                ("leftOutCount", result.LeftOutCount)),
        UndoOutcome.Busy => new ApiError(
            409, "agency-busy", "Agency busy",
            "Another transaction holds the agency, or installments of this run, for longer than some seconds; nothing "
            + "was changed. Ask again.")
            .ToProblem(("agencyId", agency), ("leftOut", LeftOutItem.Of(result))),
        UndoOutcome.Failed => new ApiError(
            409, "undo-failed", "Undo failed",
            $"The database refused the change{(result.Error is { } error ? ": " + error : "")}. Nothing was changed.")
            .ToProblem(("agencyId", agency)),
        _ => throw new ArgumentOutOfRangeException(
            nameof(result), result.Outcome, "The API does not know this outcome of an undo."),
    };

    private static ProblemHttpResult NotFound(string id) => new ApiError(
        404, "agency-run-not-found", "Run not found", $"No run of an agency has the id {Requests.PlainText.Shown(id)}.")
        .ToProblem();

    private static async Task<(Guid Agency, string Timezone)?> AgencyOfAsync(
        CallerDatabase database, Caller caller, Guid run, CancellationToken cancellationToken)
    {
        await using var session = await database.BeginAsync(caller, CallerAccess.Read, cancellationToken);
        var rows = await session.ReadAsync(
            AgencyOfRun, reader => (reader.GetGuid(0), reader.GetString(1)), cancellationToken,
            new NpgsqlParameter("run", run));
        return rows.Count == 0 ? null : rows[0];
    }
}

/// <summary>What an undo did.</summary>
/// <param name="AgencyRunId">The run that is undone.</param>
/// <param name="AgencyId">Whose run it is.</param>
/// <param name="UndoneAt">When.</param>
/// <param name="Restored">How many installments are pending again.</param>
/// <param name="LeftOut">What was left as it is, and why; at most 1,000 of them.</param>
/// <param name="LeftOutCount">How many were left as they are in all.</param>
/// <param name="DecidedAnewAt">
/// The agency's next cutoff, at which what is pending and due becomes overdue again; null while it is paused, or where
/// the rule cannot be asked.
/// </param>
/// <param name="Notice">Why something is null that need not be, in one sentence.</param>
public sealed record UndoAnswer(
    Guid AgencyRunId,
    Guid AgencyId,
    WallTime? UndoneAt,
    int Restored,
    IReadOnlyList<LeftOutItem> LeftOut,
    int LeftOutCount,
    WallTime? DecidedAnewAt,
    string? Notice)
{
    /// <param name="agency">Whose run it was.</param>
    /// <param name="result">What the undo did.</param>
    /// <param name="rule">What the rule says after it.</param>
    /// <param name="timezone">The zone of the run, for where the rule cannot be asked.</param>
    internal static UndoAnswer From(Guid agency, UndoResult result, AgencyRule rule, string timezone)
    {
        var zone = rule.Outlook?.Timezone ?? timezone;
        return new UndoAnswer(
            result.AgencyRun,
            agency,
            WallTime.At(result.At, zone),
            result.Restored,
            LeftOutItem.Of(result),
            result.LeftOutCount,
            rule.Outlook is { IsPaused: false, NextCutoffs: [var next, ..] } ? WallTime.At(next.At, zone) : null,
            rule.Notice
                ?? (rule.Outlook is { IsPaused: true } ? "The agency is paused: no cutoff of it comes." : null));
    }
}

/// <summary>One installment that an undo left as it is.</summary>
/// <param name="InstallmentId">`installments.id`.</param>
/// <param name="Why">
/// `paid`; `changed`: somebody has changed it since; `heldByLaterRun`: a later run marked it again; `deleted`; or
/// `locked`: another transaction held it.
/// </param>
public sealed record LeftOutItem(Guid InstallmentId, string Why)
{
    internal static LeftOutItem[] Of(UndoResult result) => [.. result.LeftOut.Select(left => new LeftOutItem(
        left.Installment,
        left.Why switch
        {
            LeftOutReason.Paid => "paid",
            LeftOutReason.Changed => "changed",
            LeftOutReason.HeldByLaterRun => "heldByLaterRun",
            LeftOutReason.Deleted => "deleted",
            LeftOutReason.Locked => "locked",
            _ => throw new ArgumentOutOfRangeException(nameof(result), left.Why, "no word is known for this reason"),
        }))];
}
