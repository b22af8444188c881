using Actors.Api.Access;
using Actors.Api.Requests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;

namespace Actors.Api;

/// <summary>
/// The four groups that every address under `/api` belongs to, by what a caller must be allowed to do. What holds for
/// all of a group (access, limits, the check of queries, the errors that any of them may answer) is said here, once.
/// </summary>
/// <param name="Anyone">For whoever has a valid credential; PostgreSQL decides which rows.</param>
/// <param name="Reads">For whoever may read; PostgreSQL decides which rows.</param>
/// <param name="Triggers">For whoever may start runs.</param>
/// <param name="Admins">For whoever may change settings, pause, undo and acknowledge.</param>
internal sealed record ApiRoutes(
    RouteGroupBuilder Anyone, RouteGroupBuilder Reads, RouteGroupBuilder Triggers, RouteGroupBuilder Admins)
{
    public static ApiRoutes Of(IEndpointRouteBuilder app) => new(
        Group(app, AccessPolicies.Known),
        Group(app, AccessPolicies.Read),
        Changing(Group(app, AccessPolicies.Trigger)),
        Changing(Group(app, AccessPolicies.Admin)));

    private static RouteGroupBuilder Group(IEndpointRouteBuilder app, string policy) => app.MapGroup("/api")
        .RequireAuthorization(policy)
        .WithMetadata(new BodyLimit(ActorsApi.MaxBodyBytes))
        .ChecksQueries()
        .Fails(
            StatusCodes.Status400BadRequest,
            StatusCodes.Status401Unauthorized,
            StatusCodes.Status403Forbidden,
            StatusCodes.Status429TooManyRequests,
            StatusCodes.Status503ServiceUnavailable);

    private static RouteGroupBuilder Changing(RouteGroupBuilder group) => group.Fails(
        StatusCodes.Status413PayloadTooLarge,
        StatusCodes.Status415UnsupportedMediaType);
}

/// <summary>How addresses declare the errors that they may answer.</summary>
internal static class DeclaredErrors
{
    /// <summary>Declares problem details with each of these statuses.</summary>
    public static TBuilder Fails<TBuilder>(this TBuilder builder, params int[] statuses)
        where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata([.. statuses.Select(status => new ProducesResponseTypeMetadata(
            status, typeof(ProblemDetails), ["application/problem+json"]))]);
}

/// <summary>The longest body that an address reads, in bytes.</summary>
internal sealed record BodyLimit(long? MaxRequestBodySize) : IRequestSizeLimitMetadata;
