using System.Security.Claims;
using Actors.Api.Access;
using Actors.Api.Errors;
using Actors.Grains.Interfaces;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace Actors.Api.Agencies;

/// <summary>
/// `POST /api/agencies/{id}/pause`: lets the agency's dates pass unserved from now on. Sent again it is answered 409
/// `agency-paused`, with who paused it when and why; nothing changes by that.
/// </summary>
internal static class AgencyPausing
{
    public static void MapAgencyPausing(this ApiRoutes api) => api.Admins
        .MapPost("/agencies/{id}/pause", PauseAsync)
        .WithName("pauseAgency")
        .WithSummary("Pauses an agency: from now on its dates pass unserved.")
        .WithTags("Agencies")
        .Accepts<ReasonBody>("application/json")
        .Fails(
            StatusCodes.Status404NotFound, StatusCodes.Status409Conflict, StatusCodes.Status504GatewayTimeout);

    private static async Task<Results<Ok<PausedAnswer>, ProblemHttpResult>> PauseAsync(
        string id, HttpContext context, ClaimsPrincipal user, [FromServices] CallerDatabase database,
        [FromServices] IGrainFactory grains)
    {
        if (AgencyAddress.Parse(id) is not { } agency) return AgencyAddress.NotFound(id);
        var (reason, refusal) = await ReasonBody.ReadAsync(context.Request);
        if (refusal is not null) return refusal;
        var caller = Caller.Of(user);
        var cancellationToken = context.RequestAborted;
        if (await AgencyDetails.IsHiddenAsync(database, caller, agency, cancellationToken))
            return AgencyAddress.NotFound(id);

        PauseOutcome outcome;
        try
        {
            outcome = await grains.GetGrain<IAgencyGrain>(agency).PauseAsync(caller.Name, reason!);
        }
        catch (TimeoutException)
        {
            return AgencyVerbs.TimedOut(agency);
        }

        if (outcome == PauseOutcome.Busy) return AgencyVerbs.Busy(agency);
        await using var session = await database.BeginAsync(caller, CallerAccess.Read, cancellationToken);
        var facts = await AgencyFacts.ReadAsync(session, agency, null, cancellationToken);
        if (outcome == PauseOutcome.NotFound || facts is null) return AgencyAddress.NotFound(id);
        return outcome == PauseOutcome.Paused
            ? TypedResults.Ok(new PausedAnswer(agency, Pause.Of(facts)))
            : new ApiError(
                409, "agency-paused", "Agency paused", $"The agency {agency} is paused already; nothing was changed.")
                .ToProblem(("agencyId", agency), ("pause", Pause.Of(facts)));
    }
}

/// <summary>That an agency was paused.</summary>
/// <param name="AgencyId">The agency.</param>
/// <param name="Pause">Since when, by whom and why; null where somebody has resumed it in the same moment.</param>
public sealed record PausedAnswer(Guid AgencyId, Pause? Pause);

/// <summary>What all changes that a grain makes may be answered with.</summary>
internal static class AgencyVerbs
{
    public static ProblemHttpResult TimedOut(Guid agency) => new ApiError(
        504, "change-timed-out", "Not finished in time",
        "The agency did not answer in time, and the change may still come; `GET /api/agencies/{id}` says how it "
        + "stands. Asking again is harmless.")
        .ToProblem(("agencyId", agency));

    public static ProblemHttpResult Busy(Guid agency) => new ApiError(
        409, "agency-busy", "Agency busy",
        "Another transaction holds rows of the agency for longer than some seconds; nothing was changed. Ask again.")
        .ToProblem(("agencyId", agency));
}
