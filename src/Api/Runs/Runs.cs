using System.Security.Claims;
using Actors.Api.Access;
using Actors.Api.Errors;
using Actors.Api.Requests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Net.Http.Headers;

namespace Actors.Api.Runs;

/// <summary>
/// `POST /api/runs`: brings all agencies up to date now, or those that a filter selects. `GET /api/runs/{id}`: how far
/// a run is that somebody asked for.
/// </summary>
internal static class Runs
{
    public static void MapRuns(this ApiRoutes api)
    {
        api.MapAgencyRuns();
        api.Triggers.MapPost("/runs", RunAsync)
            .WithName("runAgencies")
            .WithSummary("Brings all agencies up to date now, or those that a filter selects.")
            .WithTags("Runs")
            .Accepts<RunBody>(isOptional: true, "application/json")
            .ReadsHeader(IdempotencyKey.HeaderName, IdempotencyKey.Description)
            .WritesHeader(
                IdempotencyKey.ReplayedHeaderName, IdempotencyKey.ReplayedDescription, 200)
            .WritesHeader(HeaderNames.Location, "Where the run is told of from now on.", 202)
            .Produces<ManyRunAnswer>()
            .Produces<RunAnswer>(StatusCodes.Status202Accepted)
            .Fails(StatusCodes.Status422UnprocessableEntity);
        api.Anyone.MapGet("/runs/{id}", FindAsync)
            .WithName("getRun")
            .WithSummary("Tells how far a run is that somebody asked for.")
            .WithTags("Runs")
            .Fails(StatusCodes.Status404NotFound);
    }

    private static async Task<IResult> RunAsync(
        ClaimsPrincipal user, HttpContext context,
        [FromServices] RunDesk desk, [FromServices] RunWork work, [FromServices] AgencySelection selection)
    {
        var (words, refusal) = await RunWords.ReadAsync(context.Request, mayFilter: true);
        if (words is null) return refusal!;

        var order = new RunOrder(
            Caller.Of(user),
            words.Key,
            RunOrder.FingerprintOf(words, "/api/runs"),
            words.Reason,
            RequestTrace.IdOf(context));
        return await desk.TakeAsync(
            context, order,
            () => words.Filter is null
                ? Task.FromResult<RunSelection>(new(null, null))
                : selection.SelectAsync(order.Caller, words.Filter, context.RequestAborted),
            ticket => work.RunManyAsync(order, ticket));
    }

    private static async Task<Results<Ok<RunAnswer>, ProblemHttpResult>> FindAsync(
        string id, ClaimsPrincipal user, HttpContext context, [FromServices] RunReading reading) =>
        Guid.TryParseExact(id, "D", out var run)
        && await reading.FindAsync(Caller.Of(user), run, context.RequestAborted) is { } answer
            ? TypedResults.Ok(answer)
            : NotFound.ToProblem();

    private static readonly ApiError NotFound = new(
        404, "run-not-found", "Run not found",
        "There is no run of this id that was asked for through the API, or it is not yours to see; "
        + "requests are kept for some days, and /api/jobs has every run.");
}
