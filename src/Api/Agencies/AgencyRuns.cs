using System.Security.Claims;
using Actors.Api.Errors;
using Actors.Grains.Interfaces;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace Actors.Api.Agencies;

/// <summary>`POST /api/agencies/{id}/runs`: brings one agency up to date now, and tells what was marked.</summary>
internal static class AgencyRuns
{
    public static void MapAgencyRuns(this ApiRoutes api) => api.Triggers
        .MapPost("/agencies/{id}/runs", RunAsync)
        .WithSummary("Brings one agency up to date now.")
        .Fails(StatusCodes.Status404NotFound, StatusCodes.Status409Conflict);

    private static async Task<Results<Ok<AgencyRunAnswer>, ProblemHttpResult>> RunAsync(
        string id, AgencyRunBody? body, ClaimsPrincipal caller, [FromServices] IGrainFactory grains)
    {
        if (!Guid.TryParse(id, out var agency))
            return AgencyRunAnswer.NotFound("The id in the address is no UUID, so no agency has it.");

        var reason = RunReason.Parse(body?.Reason, out var advice);
        if (advice is not null)
            return new ApiError(400, "invalid-reason", "Invalid reason", advice).ToProblem();

        var job = new JobId(Guid.NewGuid());
        try
        {
            return AgencyRunAnswer.Decide(await grains.GetGrain<IAgencyGrain>(agency).BringUpToDateAsync(
                new RunRequest(RunTrigger.Api, job, caller.Identity?.Name, reason)));
        }
        catch (TimeoutException)
        {
            // The run goes on without its caller, who is told where its end will be found.
            return ApiError.RunTimedOut.ToProblem(("agencyId", agency), ("jobId", job.Value));
        }
    }
}
