using System.Security.Claims;
using Actors.Api.Access;
using Actors.Api.Errors;
using Actors.Api.Requests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Net.Http.Headers;
using Npgsql;

namespace Actors.Api.Agencies;

using CreateAnswer = Results<Created<AgencySettingsAnswer>, Ok<AgencySettingsAnswer>, ProblemHttpResult>;

/// <summary>
/// `POST /api/agencies`: adds an agency. With an id of the maker's own the request can be sent again: an agency that
/// is there already with the same settings is as good as made.
/// </summary>
internal static class AgencyCreating
{
    public static void MapAgencyCreating(this ApiRoutes api) => api.Admins
        .MapPost("/agencies", CreateAsync)
        .WithName("createAgency")
        .WithSummary("Adds an agency; sent again with the same id and settings it changes nothing.")
        .WithTags("Agencies")
        .Accepts<NewAgency>("application/json")
        .WritesHeader(HeaderNames.ETag, AgencySettings.ETagDescription, 200, 201)
        .WritesHeader(HeaderNames.Location, "The address of the agency.", 200, 201)
        .Fails(StatusCodes.Status409Conflict, StatusCodes.Status422UnprocessableEntity);

    private static async Task<CreateAnswer> CreateAsync(
        HttpContext context, ClaimsPrincipal user, [FromServices] CallerDatabase database,
        [FromServices] IGrainFactory grains)
    {
        var cancellationToken = context.RequestAborted;
        var (body, refusal) = await AgencyBody.ForNewAsync(context.Request);
        if (refusal is not null) return refusal;
        var agency = body!.AgencyId ?? Guid.NewGuid();
        var settings = body.AsNew();
        bool isNew;
        await using (var session = await database.BeginAsync(Caller.Of(user), CallerAccess.Write, cancellationToken))
        {
            if ((await SupportedZones.ReadAsync(session, cancellationToken)).Advice(settings.Timezone) is { } advice)
                return InvalidZone(advice);
            try
            {
                isNew = await AgencySettingsSql.AddAsync(session, agency, settings, cancellationToken);
                if (!isNew && !await IsTheSameAsync(session, agency, settings, cancellationToken))
                    return Exists(agency);
                await session.CommitAsync(cancellationToken);
            }
            catch (PostgresException error) when (DatabaseRefusals.Decide(error, "agencies") is { } refused)
            {
                return refused;
            }
        }

        var rule = await AgencyRule.TryAskAsync(grains, agency, 1, cancellationToken);
        var address = $"/api/agencies/{agency}";
        context.Response.Headers.ETag = settings.ETag;
        if (isNew)
        {
            IReadOnlyList<string> all =
                [AgencyBody.Name, AgencyBody.Timezone, AgencyBody.OverdueCutoffTime, AgencyBody.DueSoonThresholdDays];
            return TypedResults.Created(address, AgencySettingsAnswer.From(agency, settings, all, null, rule));
        }

        context.Response.Headers.Location = address;
        return TypedResults.Ok(AgencySettingsAnswer.From(agency, settings, [], null, rule));
    }

    internal static ProblemHttpResult InvalidZone(string advice) => ApiError.InvalidBody.ToProblem(
        ("errors", new Dictionary<string, string[]> { [AgencyBody.Timezone] = [advice] }));

    private static async Task<bool> IsTheSameAsync(
        CallerSession session, Guid agency, AgencySettings settings, CancellationToken cancellationToken) =>
        await AgencySettingsSql.ReadAsync(session, agency, cancellationToken) is { } there
        && there.Settings == settings;

    private static ProblemHttpResult Exists(Guid agency) => new ApiError(
        409, "agency-exists", "Agency exists",
        $"The id {agency} is taken by an agency with other settings; nothing was changed.")
        .ToProblem(("agencyId", agency));
}

/// <summary>What `POST /api/agencies` takes.</summary>
/// <param name="Name">At most 500 characters on one line.</param>
/// <param name="Timezone">A row of `supported_timezones`, such as Australia/Brisbane.</param>
/// <param name="Id">An id of the maker's own, so that the request can be sent again; made here if left out.</param>
/// <param name="OverdueCutoffTime">As HH:mm or HH:mm:ss; 17:00 if left out.</param>
/// <param name="DueSoonThresholdDays">1 to 30; 4 if left out.</param>
public sealed record NewAgency(
    string Name, string Timezone, Guid? Id = null, string? OverdueCutoffTime = null, int? DueSoonThresholdDays = null);
