using System.Security.Claims;
using Actors.Api.Access;
using Actors.Api.Requests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Net.Http.Headers;
using Npgsql;

namespace Actors.Api.Agencies;

/// <summary>
/// `GET /api/agencies/{id}`: one agency. What is a fact is read as the caller; what follows from the rule is asked of
/// the agency's grain, and is null with a notice where no silo answers.
/// </summary>
internal static class AgencyDetails
{
    private const int CutoffsShown = 5;

    private const string LastRun =
        $"""
        SELECT {LedgerItem.Columns}
        {LedgerItem.Source}
        WHERE r.agency_id = @agency
        ORDER BY r.completed_at DESC, r.id DESC
        LIMIT 1
        """;

    public static void MapAgencyDetails(this ApiRoutes api) => api.Reads
        .MapGet("/agencies/{id}", ReadAsync)
        .WithName("getAgency")
        .WithSummary("One agency: settings, state, next cutoffs, last run, and its installments in numbers.")
        .WithTags("Agencies")
        .WritesHeader(HeaderNames.ETag, AgencySettings.ETagDescription, 200)
        .Fails(StatusCodes.Status404NotFound);

    private static async Task<Results<Ok<AgencyAnswer>, ProblemHttpResult>> ReadAsync(
        string id, HttpContext context, ClaimsPrincipal user, [FromServices] CallerDatabase database,
        [FromServices] IGrainFactory grains)
    {
        var caller = Caller.Of(user);
        var cancellationToken = context.RequestAborted;
        if (AgencyAddress.Parse(id) is not { } agency
            || await IsHiddenAsync(database, caller, agency, cancellationToken))
        {
            return AgencyAddress.NotFound(id);
        }

        // Before the facts, and outside of their transaction: nothing waits for a silo with a connection in its hand.
        var rule = await AgencyRule.TryAskAsync(grains, agency, CutoffsShown, cancellationToken);
        await using var session = await database.BeginAsync(caller, CallerAccess.Read, cancellationToken);
        if (await AgencyFacts.ReadAsync(session, agency, rule.Outlook?.At, cancellationToken) is not { } facts)
            return AgencyAddress.NotFound(id);
        var lastRun = await session.ReadAsync(
            LastRun, reader => LedgerItem.Read(reader, 0), cancellationToken, new NpgsqlParameter("agency", agency));
        var totals = await AgencyTotals.ReadAsync(
            session, agency, rule, facts.Settings.DueSoonThresholdDays, cancellationToken);
        context.Response.Headers.ETag = facts.Settings.ETag;
        return TypedResults.Ok(AgencyAnswer.From(agency, facts, rule, lastRun.SingleOrDefault(), totals));
    }

    /// <summary>Whether the caller sees no such agency; then its grain is not asked either.</summary>
    public static async Task<bool> IsHiddenAsync(
        CallerDatabase database, Caller caller, Guid agency, CancellationToken cancellationToken)
    {
        await using var session = await database.BeginAsync(caller, CallerAccess.Read, cancellationToken);
        return (await session.ReadAsync(
            "SELECT 1 FROM agencies WHERE id = @agency", _ => true, cancellationToken,
            new NpgsqlParameter("agency", agency))).Count == 0;
    }
}
