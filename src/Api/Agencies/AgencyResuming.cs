using System.Security.Claims;
using Actors.Api.Access;
using Actors.Api.Answers;
using Actors.Api.Errors;
using Actors.Api.Requests;
using Actors.Grains.Interfaces;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using NodaTime;

namespace Actors.Api.Agencies;

/// <summary>
/// `POST /api/agencies/{id}/resume`: serves the agency again, and serves or skips the dates that passed meanwhile.
/// Sent again it is answered 409 `agency-not-paused`; nothing changes by that.
/// </summary>
internal static class AgencyResuming
{
    public const string Mode = "mode";
    private const string CatchUp = "catchUp";
    private const string Skip = "skip";
    public static readonly string[] Modes = [CatchUp, Skip];

    public static void MapAgencyResuming(this ApiRoutes api) => api.Admins
        .MapPost("/agencies/{id}/resume", ResumeAsync)
        .WithName("resumeAgency")
        .WithSummary("Resumes a paused agency, and catches up or skips the dates that passed meanwhile.")
        .WithTags("Agencies")
        .Accepts<ResumeBody>("application/json")
        .Fails(
            StatusCodes.Status404NotFound, StatusCodes.Status409Conflict, StatusCodes.Status504GatewayTimeout);

    private static async Task<Results<Ok<ResumedAnswer>, ProblemHttpResult>> ResumeAsync(
        string id, HttpContext context, ClaimsPrincipal user, [FromServices] CallerDatabase database,
        [FromServices] IGrainFactory grains)
    {
        if (AgencyAddress.Parse(id) is not { } agency) return AgencyAddress.NotFound(id);
        var (json, malformed) = await JsonBody.ReadAsync(context.Request, "reason", Mode);
        if (json is null) return malformed!;
        var reason = ReasonBody.Taken(json);
        json.Require(Mode, "catchUp (serve the dates that passed) or skip (leave them unserved, on the record)");
        var mode = json.Word(Mode, Modes);
        if (json.Refusal() is { } refusal) return refusal;

        var caller = Caller.Of(user);
        var cancellationToken = context.RequestAborted;
        if (await SettingsAsync(database, caller, agency, cancellationToken) is not { } settings)
            return AgencyAddress.NotFound(id);
        try
        {
            var result = await grains.GetGrain<IAgencyGrain>(agency).ResumeAsync(
                caller.Name, reason!, mode == Skip ? ResumeMode.Skip : ResumeMode.CatchUp);
            return Decide(id, mode!, result, settings.Timezone);
        }
        catch (TimeoutException)
        {
            return AgencyVerbs.TimedOut(agency);
        }
    }

    internal static Results<Ok<ResumedAnswer>, ProblemHttpResult> Decide(
        string id, string mode, ResumeResult result, string timezone)
    {
        var agency = result.Agency.Value;
        return result.Outcome switch
        {
            ResumeOutcome.Resumed => TypedResults.Ok(Answer("resumed")),
            // It is resumed, and the sweep goes on with the rest: no error of this request, which is not to be sent
            // again.
            ResumeOutcome.CatchUpFailed => TypedResults.Ok(Answer("catchUpFailed")),
            ResumeOutcome.NotFound => AgencyAddress.NotFound(id),
            ResumeOutcome.Busy => AgencyVerbs.Busy(agency),
            ResumeOutcome.NotPaused => new ApiError(
                409, "agency-not-paused", "Agency not paused",
                $"The agency {agency} is not paused; nothing was changed.")
                .ToProblem(("agencyId", agency)),
            ResumeOutcome.SkipFailed => new ApiError(
                409, "resume-failed", "Resume failed",
                result.Error ?? "Its dates could not be skipped, so it is still paused.")
                .ToProblem(("agencyId", agency), ("skipped", Rows(result.Skipped))),
            _ => throw new ArgumentOutOfRangeException(
                nameof(result), result.Outcome, "The API does not know this outcome of a resume."),
        };

        ResumedAnswer Answer(string outcome) => new(
            agency,
            outcome,
            mode,
            result.Job?.Value,
            result.RecordsUpdated,
            Rows(result.Served),
            Rows(result.Skipped),
            WallTime.At(result.Next, timezone),
            result.Error);

        ServedAnswer[] Rows(IReadOnlyList<ServedCutoff> rows) => [.. rows.Select(row => new ServedAnswer(
            row.CutoffDate, WallTime.At(row.CutoffAt, timezone), row.RecordsUpdated))];
    }

    private static async Task<AgencySettings?> SettingsAsync(
        CallerDatabase database, Caller caller, Guid agency, CancellationToken cancellationToken)
    {
        await using var session = await database.BeginAsync(caller, CallerAccess.Read, cancellationToken);
        return (await AgencySettingsSql.ReadAsync(session, agency, cancellationToken))?.Settings;
    }
}

/// <summary>What `POST /api/agencies/{id}/resume` takes.</summary>
/// <param name="Reason">At most 1,000 characters, in the asker's words.</param>
/// <param name="Mode">
/// `catchUp`: the dates that passed are served now. `skip`: they stand in the ledger as skipped, and what was due then
/// becomes overdue at the next cutoff.
/// </param>
public sealed record ResumeBody(string Reason, string Mode);

/// <summary>What became of a resume.</summary>
/// <param name="AgencyId">The agency.</param>
/// <param name="Outcome">
/// `resumed`; or `catchUpFailed`: it is resumed, but a date that passed could not be served, and the silos try again.
/// </param>
/// <param name="Mode">As it was asked for.</param>
/// <param name="JobId">The run in `jobs_log` that it stands under; null when no date had passed.</param>
/// <param name="RecordsUpdated">How many installments became overdue by it.</param>
/// <param name="Served">The dates that were served.</param>
/// <param name="Skipped">The dates that were skipped.</param>
/// <param name="NextCutoff">When the agency's installments are looked at next by themselves.</param>
/// <param name="Error">What went wrong; null when nothing did.</param>
public sealed record ResumedAnswer(
    Guid AgencyId,
    string Outcome,
    string Mode,
    Guid? JobId,
    int RecordsUpdated,
    IReadOnlyList<ServedAnswer> Served,
    IReadOnlyList<ServedAnswer> Skipped,
    WallTime? NextCutoff,
    string? Error);

/// <summary>A date that was served or skipped.</summary>
/// <param name="Date">The local date.</param>
/// <param name="Cutoff">The instant of its cutoff.</param>
/// <param name="RecordsUpdated">How many installments became overdue by it.</param>
public sealed record ServedAnswer(LocalDate Date, WallTime Cutoff, int RecordsUpdated);
