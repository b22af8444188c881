using System.Security.Claims;
using Actors.Api.Access;
using Actors.Api.Answers;
using Actors.Api.Requests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using NpgsqlTypes;

namespace Actors.Api.Alerts;

using ListAnswer = Results<Ok<Page<AlertItem>>, CsvAnswer<AlertItem>, ProblemHttpResult>;

/// <summary>`GET /api/alerts`: what people must know, the newest first, in pages or as a file.</summary>
internal static class AlertListing
{
    private const string List = "alerts";

    private const string Sql =
        $$"""
        SELECT {{AlertItem.Columns}}
        {{AlertItem.Source}}
        {where}
        ORDER BY l.raised_at DESC, l.id DESC
        LIMIT @rows
        """;

    /// <summary>The words of the API, and those of the database.</summary>
    private static readonly Dictionary<string, string> Kinds =
        ((string[])["agency_failed", "cutoff_late", "run_failed", "run_stuck"]).ToDictionary(DatabaseWord.InAnswers);

    public static void MapAlertListing(this ApiRoutes api) => api.Reads
        .MapGet("/alerts", ListAsync)
        .Takes(
            [
                QueryParameter.Word(
                    "state",
                    "`open`: nobody has said that they know; `acknowledged`: somebody has, and the problem lasts; "
                    + "`resolved`: the problem is gone.",
                    "open", "acknowledged", "resolved"),
                QueryParameter.Word("kind", "Alerts of this kind.", [.. Kinds.Keys]),
                QueryParameter.Word("severity", "Alerts of this severity.", "info", "warning", "critical"),
                QueryParameter.Id("agency", "Alerts about this agency."),
                QueryParameter.Instant("from", "Alerts that were raised at this instant or later."),
                QueryParameter.Instant("to", "Alerts that were raised before this instant."),
                .. PageRequest.Parameters,
                Csv.Parameter,
            ])
        .WithName("listAlerts")
        .WithSummary("Lists alerts, the newest first.")
        .WithTags("Alerts")
        .Fails(StatusCodes.Status422UnprocessableEntity);

    private static async Task<ListAnswer> ListAsync(
        HttpContext context, ClaimsPrincipal user, [FromServices] CallerDatabase database)
    {
        var query = context.QueryOf();
        var page = PageRequest.Of(query, List, QueryKind.Instant, QueryKind.Id);
        if (page.After is [null, ..]) query.Refuse(Cursor.Parameter.Name, PageRequest.ForeignCursor);
        if (query.Refusal() is { } refusal) return refusal;

        var alerts = new RowList<AlertItem>(
            List, "alerts.csv", after => SqlOf(query, after), AlertItem.Read,
            alert => [alert.RaisedAt.Instant, alert.Id], AlertItem.CsvColumns);
        var caller = Caller.Of(user);
        await using var session = await database.BeginAsync(caller, CallerAccess.Read, context.RequestAborted);
        return await alerts.AnswerAsync(context, page, session, database, caller);
    }

    internal static ListSql SqlOf(QueryValues query, object?[]? after)
    {
        var sql = new ListSql(Sql);
        if (query.Text("state") is { } state)
        {
            sql.And(state switch
            {
                "open" => "l.resolved_at IS NULL AND l.acknowledged_at IS NULL",
                "acknowledged" => "l.resolved_at IS NULL AND l.acknowledged_at IS NOT NULL",
                _ => "l.resolved_at IS NOT NULL",
            });
        }

        sql.And("l.kind = @kind", "kind", NpgsqlDbType.Text, query.Text("kind") is { } kind ? Kinds[kind] : null);
        sql.And("l.severity = @severity", "severity", NpgsqlDbType.Text, query.Text("severity"));
        sql.And("l.agency_id = @agency", "agency", NpgsqlDbType.Uuid, query.Id("agency"));
        sql.And("l.raised_at >= @from", "from", NpgsqlDbType.TimestampTz, query.Instant("from"));
        sql.And("l.raised_at < @to", "to", NpgsqlDbType.TimestampTz, query.Instant("to"));
        if (after is not null)
        {
            sql.And("(l.raised_at, l.id) < (@after_at, @after_id)");
            sql.With("after_at", NpgsqlDbType.TimestampTz, after[0]);
            sql.With("after_id", NpgsqlDbType.Uuid, after[1]);
        }

        return sql;
    }
}
