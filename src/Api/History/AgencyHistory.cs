using System.Security.Claims;
using Actors.Api.Access;
using Actors.Api.Agencies;
using Actors.Api.Answers;
using Actors.Api.Requests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Npgsql;

namespace Actors.Api.History;

using HistoryAnswer = Results<Ok<Page<HistoryItem>>, CsvAnswer<HistoryItem>, ProblemHttpResult>;

/// <summary>
/// `GET /api/agencies/{id}/history`: everything that happened to an agency, the newest first: its runs, its settings,
/// pauses and undos. The history of an agency that was deleted is still there for whoever may see it.
/// </summary>
internal static class AgencyHistory
{
    private const string List = "history";

    /// <summary>
    /// The zone of an agency, or of the newest run of one that is gone; no row where nothing is known.
    /// </summary>
    private const string Timezone =
        """
        SELECT zone.timezone
        FROM (
          SELECT 1 AS place, timezone FROM agencies WHERE id = @agency
          UNION ALL
          (SELECT 2, timezone FROM agency_runs WHERE agency_id = @agency ORDER BY completed_at DESC LIMIT 1)
          UNION ALL
          (SELECT 3, 'UTC' FROM agency_changes WHERE agency_id = @agency LIMIT 1)
        ) AS zone
        ORDER BY zone.place
        LIMIT 1
        """;

    public static void MapAgencyHistory(this ApiRoutes api) => api.Reads
        .MapGet("/agencies/{id}/history", ReadAsync)
        .Takes(
            [
                QueryParameter.Instant("from", "What happened from this instant on."),
                QueryParameter.Instant("to", "What happened before this instant."),
                QueryParameter.Word("kind", "Only what is of this kind.", [.. HistoryQuery.Kinds]),
                .. PageRequest.Parameters,
                Csv.Parameter,
            ])
        .WithName("agencyHistory")
        .WithSummary("What happened to an agency, the newest first: runs, settings, pauses, undos.")
        .WithTags("Agencies")
        .Fails(StatusCodes.Status404NotFound, StatusCodes.Status422UnprocessableEntity);

    private static async Task<HistoryAnswer> ReadAsync(
        string id, HttpContext context, ClaimsPrincipal user, [FromServices] CallerDatabase database)
    {
        var values = context.QueryOf();
        var list = $"{List} {id}";
        var page = PageRequest.Of(values, list, HistorySql.KeyKinds);
        if (page.After is { } keys && !HistorySql.AreKeys(keys)) values.Refuse("cursor", PageRequest.ForeignCursor);
        if (values.Refusal() is { } refusal) return refusal;
        if (AgencyAddress.Parse(id) is not { } agency) return AgencyAddress.NotFound(id);

        var query = new HistoryQuery(
            agency, values.Instant("from"), values.Instant("to"), values.Text("kind"));
        var caller = Caller.Of(user);
        var cancellationToken = context.RequestAborted;
        await using var session = await database.BeginAsync(caller, CallerAccess.Read, cancellationToken);
        var zones = await session.ReadAsync(
            Timezone, reader => reader.GetString(0), cancellationToken, new NpgsqlParameter("agency", agency));
        if (zones is not [var timezone]) return AgencyAddress.NotFound(id);
        var history = new RowList<HistoryItem>(
            list, $"history-{agency}.csv", after => HistorySql.Of(query, after),
            reader => HistorySql.Read(reader, timezone), item => item.Keys, HistoryItem.CsvColumns);
        return await history.AnswerAsync(context, page, session, database, caller);
    }
}
