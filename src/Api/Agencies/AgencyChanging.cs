using System.Security.Claims;
using Actors.Api.Access;
using Actors.Api.Errors;
using Actors.Api.Requests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Net.Http.Headers;
using NodaTime;
using Npgsql;

namespace Actors.Api.Agencies;

/// <summary>
/// `PATCH /api/agencies/{id}`: changes settings, by what of them is named, under the condition that they are still
/// what the caller has seen. The change is one UPDATE as the caller, and the agency's next cutoff follows by itself.
/// </summary>
internal static class AgencyChanging
{
    public static void MapAgencyChanging(this ApiRoutes api) => api.Admins
        .MapPatch("/agencies/{id}", ChangeAsync)
        .WithName("changeAgency")
        .WithSummary("Changes settings of an agency; If-Match with the ETag that was seen is required.")
        .WithTags("Agencies")
        .ReadsHeader("If-Match", "The ETag of the settings that are to be changed.", isRequired: true)
        .WritesHeader(HeaderNames.ETag, AgencySettings.ETagDescription, 200, 412)
        .Accepts<AgencyPatch>("application/merge-patch+json", "application/json")
        .Fails(
            StatusCodes.Status404NotFound,
            StatusCodes.Status409Conflict,
            StatusCodes.Status412PreconditionFailed,
            StatusCodes.Status422UnprocessableEntity,
            StatusCodes.Status428PreconditionRequired);

    private static async Task<Results<Ok<AgencySettingsAnswer>, ProblemHttpResult>> ChangeAsync(
        string id, HttpContext context, ClaimsPrincipal user, [FromServices] CallerDatabase database,
        [FromServices] IGrainFactory grains)
    {
        if (AgencyAddress.Parse(id) is not { } agency) return AgencyAddress.NotFound(id);
        var (body, malformed) = await AgencyBody.ForPatchAsync(context.Request);
        if (malformed is not null) return malformed;
        var (condition, missing) = IfMatch.Of(context.Request);
        if (missing is not null) return missing;

        var caller = Caller.Of(user);
        var cancellationToken = context.RequestAborted;
        var change = await ApplyAsync(database, caller, agency, body!, condition!, cancellationToken);
        if (change.Refusal is { } refusal) return refusal;
        if (change.Current is not { } current) return AgencyAddress.NotFound(id);
        context.Response.Headers.ETag = current.ETag;
        if (change.Changed is not { } changed)
            return ApiError.ETagMismatch.ToProblem(("etag", current.ETag));

        var rule = await AgencyRule.TryAskAsync(grains, agency, 1, cancellationToken);
        return TypedResults.Ok(AgencySettingsAnswer.From(agency, current, changed, change.LastServed, rule));
    }

    private static async Task<Change> ApplyAsync(
        CallerDatabase database, Caller caller, Guid agency, AgencyBody body, IfMatch condition,
        CancellationToken cancellationToken)
    {
        await using var session = await database.BeginAsync(caller, CallerAccess.Write, cancellationToken);
        if (await AgencySettingsSql.ReadAsync(session, agency, cancellationToken) is not var (current, lastServed))
            return new Change(null, null, null);
        if (!condition.Allows(current.ETag)) return new Change(current, null, lastServed);

        var wanted = body.AppliedTo(current);
        var changed = wanted.DifferencesTo(current);
        if (changed.Count == 0) return new Change(current, changed, lastServed);
        if (wanted.Timezone != current.Timezone
            && (await SupportedZones.ReadAsync(session, cancellationToken)).Advice(wanted.Timezone) is { } advice)
        {
            return new Change(current, null, lastServed) { Refusal = AgencyCreating.InvalidZone(advice) };
        }

        try
        {
            var isDone = await AgencySettingsSql.ChangeAsync(session, agency, current, wanted, cancellationToken);
            await session.CommitAsync(cancellationToken);
            if (isDone) return new Change(wanted, changed, lastServed);
        }
        catch (PostgresException error) when (DatabaseRefusals.Decide(error, "agencies") is { } refused)
        {
            return new Change(current, null, lastServed) { Refusal = refused };
        }

        // Somebody else was faster by less than this transaction, or has deleted it.
        await using var after = await database.BeginAsync(caller, CallerAccess.Read, cancellationToken);
        return await AgencySettingsSql.ReadAsync(after, agency, cancellationToken) is var (now, _)
            ? new Change(now, null, null)
            : new Change(null, null, null);
    }

    /// <summary>What became of a change.</summary>
    /// <param name="Current">The settings of now; null where there is no such agency.</param>
    /// <param name="Changed">What was changed; null where the settings were not what the caller has seen.</param>
    /// <param name="LastServed">The latest date that had been served before.</param>
    private sealed record Change(AgencySettings? Current, IReadOnlyList<string>? Changed, LocalDate? LastServed)
    {
        /// <summary>What the database or the rule has against it.</summary>
        public ProblemHttpResult? Refusal { get; init; }
    }
}

/// <summary>What `PATCH /api/agencies/{id}` takes: a merge patch, in which what is left out stays as it is.</summary>
/// <param name="Name">At most 500 characters on one line.</param>
/// <param name="Timezone">A row of `supported_timezones`, such as Australia/Brisbane.</param>
/// <param name="OverdueCutoffTime">As HH:mm or HH:mm:ss.</param>
/// <param name="DueSoonThresholdDays">1 to 30.</param>
public sealed record AgencyPatch(
    string? Name = null, string? Timezone = null, string? OverdueCutoffTime = null, int? DueSoonThresholdDays = null);
