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
        var cancellationToken = context.RequestAborted;
        await using var session = await database.BeginAsync(caller, CallerAccess.Read, cancellationToken);
        if (query.Timezone is { } timezone
            && (await SupportedZones.ReadAsync(session, cancellationToken)).FilterAdvice(timezone) is { } advice)
        {
            values.Refuse("timezone", advice);
        }

        if (values.Refusal() is { } refusal) return refusal;
        if (Csv.IsAskedFor(context.Request, values))
        {
            return await AgencyListSql.CountAsync(session, query, cancellationToken) > Csv.MostRows
                ? Csv.TooManyRows()
                : new CsvAnswer<AgencyItem>("agencies.csv", AgencyItem.CsvColumns, AllAsync(database, caller, query));
        }

        var rows = await AgencyListSql.ReadAsync(session, query, page.After, page.RowsToRead, cancellationToken);
        var found = page.PageOf(rows, row => Cursor.Write(list, AgencyListSql.KeysOf(query, row)));
        return TypedResults.Ok(new Page<AgencyItem>([.. found.Items.Select(row => row.Item)], found.Next));
    }

    private static IAsyncEnumerable<AgencyItem> AllAsync(
        CallerDatabase database, Caller caller, AgencyListQuery query) =>
        CsvPages.AllAsync(
            async (after, rows, cancellationToken) =>
            {
                await using var session = await database.BeginAsync(caller, CallerAccess.Read, cancellationToken);
                return await AgencyListSql.ReadAsync(session, query, after, rows, cancellationToken);
            },
            row => AgencyListSql.KeysOf(query, row)).Select(row => row.Item);
}
