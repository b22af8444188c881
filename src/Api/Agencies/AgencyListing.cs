using System.Security.Claims;
using Actors.Api.Access;
using Actors.Api.Answers;
using Actors.Api.Requests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace Actors.Api.Agencies;

using ListAnswer = Results<Ok<Page<AgencyItem>>, CsvAnswer<AgencyItem>, ProblemHttpResult>;

/// <summary>`GET /api/agencies`: searched, filtered, in one of several orders, in pages or as a file.</summary>
internal static class AgencyListing
{
    private const string List = "agencies";

    public static void MapAgencyListing(this ApiRoutes api) => api.Reads
        .MapGet("/agencies", ListAsync)
        .Takes([.. AgencyListQuery.Parameters, .. PageRequest.Parameters, Csv.Parameter])
        .WithName("listAgencies")
        .WithSummary("Lists agencies with their state.")
        .WithTags("Agencies")
        .Fails(StatusCodes.Status422UnprocessableEntity);

    private static async Task<ListAnswer> ListAsync(
        HttpContext context, ClaimsPrincipal user, [FromServices] CallerDatabase database)
    {
        var values = context.QueryOf();
        var query = AgencyListQuery.Of(values);
        var list = $"{List} {query.Order.Word}";
        var page = PageRequest.Of(values, list, query.Order.Kind, QueryKind.Id);
        var caller = Caller.Of(user);
        await using var session = await database.BeginAsync(caller, CallerAccess.Read, context.RequestAborted);
        if (query.Timezone is { } timezone
            && (await SupportedZones.ReadAsync(session, context.RequestAborted)).FilterAdvice(timezone) is { } advice)
        {
            values.Refuse("timezone", advice);
        }

        if (values.Refusal() is { } refusal) return refusal;
        var agencies = new RowList<AgencyItem>(
            list, "agencies.csv", after => AgencyListSql.Of(query, after), AgencyListSql.Read, query.Order.KeysOf,
            AgencyItem.CsvColumns);
        return await agencies.AnswerAsync(context, page, session, database, caller);
    }
}
