using System.Security.Claims;
using Actors.Grains.Interfaces;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;

namespace Actors.Api.Jobs;

/// <summary>
/// `POST /functions/v1/update-installment-statuses`: brings all agencies up to date now. Address and answers are those
/// of the original design, so that what called it goes on working.
/// </summary>
internal static class UpdateInstallmentStatuses
{
    public static void MapUpdateInstallmentStatuses(this IEndpointRouteBuilder routes) => routes
        .MapPost("/functions/v1/update-installment-statuses", RunAsync)
        .WithName("updateInstallmentStatuses")
        .WithTags("Runs")
        .WithSummary("Brings all agencies up to date now.")
        .WithMetadata(new OriginalErrors())
        .Produces<RefusalAnswer>(StatusCodes.Status401Unauthorized)
        .Produces<RefusalAnswer>(StatusCodes.Status403Forbidden)
        .Produces<RunAllAnswer>(StatusCodes.Status413PayloadTooLarge)
        .Produces<RunAllAnswer>(StatusCodes.Status429TooManyRequests);

    private static async Task<Results<Ok<RunAllAnswer>, InternalServerError<RunAllAnswer>>> RunAsync(
        HttpRequest request, ClaimsPrincipal caller, [FromServices] IGrainFactory grains)
    {
        // Whatever the body says is ignored, but it is read first: one that is too long changes nothing.
        await request.Body.CopyToAsync(Stream.Null, request.HttpContext.RequestAborted);
        var coordinator = grains.GetGrain<ICoordinatorGrain>(JobNames.UpdateInstallmentStatuses);
        return RunAllAnswer.Decide(await coordinator.RunAllAsync(
            new RunAllRequest(new JobId(Guid.NewGuid()), caller.Identity?.Name)));
    }
}
