using System.Security.Claims;
using Actors.Api.Access;
using Actors.Api.Errors;
using Actors.Api.Requests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Net.Http.Headers;

namespace Actors.Api.Runs;

/// <summary>`POST /api/agencies/{id}/runs`: brings one agency up to date now, and tells what was marked.</summary>
internal static class AgencyRuns
{
    public static void MapAgencyRuns(this ApiRoutes api) => api.Triggers
        .MapPost("/agencies/{id}/runs", RunAsync)
        .WithName("runAgency")
        .WithSummary("Brings one agency up to date now.")
        .WithTags("Runs")
        .Accepts<AgencyRunBody>(isOptional: true, "application/json")
        .ReadsHeader(IdempotencyKey.HeaderName, IdempotencyKey.Description)
        .WritesHeader(
            IdempotencyKey.ReplayedHeaderName, IdempotencyKey.ReplayedDescription, 200, 404, 409)
        .WritesHeader(HeaderNames.Location, "Where the run is told of from now on.", 202)
        .Produces<AgencyRunAnswer>()
        .Produces<RunAnswer>(StatusCodes.Status202Accepted)
        .Fails(
            StatusCodes.Status404NotFound,
            StatusCodes.Status409Conflict,
            StatusCodes.Status422UnprocessableEntity);

    private static async Task<IResult> RunAsync(
        string id, ClaimsPrincipal user, HttpContext context,
        [FromServices] RunDesk desk, [FromServices] RunWork work)
    {
        if (!Guid.TryParseExact(id, "D", out var agency))
            return AgencyRunAnswer.NotFound("The id in the address is no UUID, so no agency has it.");
        var (words, refusal) = await RunWords.ReadAsync(context.Request, mayFilter: false);
        if (words is null) return refusal!;

        var order = new RunOrder(
            Caller.Of(user),
            words.Key,
            RunOrder.FingerprintOf(words, $"/api/agencies/{agency}/runs"),
            words.Reason,
            RequestTrace.IdOf(context))
        {
            Agency = agency,
        };
        return await desk.TakeAsync(
            context, order,
            () => Task.FromResult<RunSelection>(new(null, null)),
            ticket => work.RunOneAsync(order, ticket, agency));
    }
}
