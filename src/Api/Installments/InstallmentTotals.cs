using System.Security.Claims;
using Actors.Api.Access;
using Actors.Api.Answers;
using Actors.Api.Requests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using NpgsqlTypes;

namespace Actors.Api.Installments;

using ListAnswer = Results<Ok<Page<InstallmentTotal>>, CsvAnswer<InstallmentTotal>, ProblemHttpResult>;

/// <summary>
/// `GET /api/installments/totals`: what is open in numbers, of all agencies together or of each; by currency where the
/// application's table has one. All that is open is summed up (at 500,000 some 600 ms); of each agency only as many as
/// the page holds. What is settled is history, and not in it.
/// </summary>
internal static class InstallmentTotals
{
    private const string List = "installment totals";

    private const string Groups =
        $$"""
        SELECT i.status::text AS status,
               coalesce(
                 CASE WHEN {{InstallmentSql.IsDueSoon}} THEN 'dueSoon' WHEN i.status = 'pending' THEN 'notDueSoon'
                   ELSE {bucket} END, 'unknown') AS "group",
               {currency} AS currency, count(*) AS count, coalesce(sum({{InstallmentSql.Amount}}), 0) AS amount
        """;

    private const string OfAll =
        $$"""
        SELECT t.agency_id, t.agency_name, t.status, t."group", t.currency, t.count, t.amount
        FROM (
          SELECT NULL::uuid AS agency_id, NULL::text AS agency_name, g.*
          FROM (
            {{Groups}}
            {{InstallmentSql.Source}}
            WHERE i.status IN ('pending', 'overdue')
            GROUP BY 1, 2, 3
          ) AS g
        ) AS t
        {where}
        ORDER BY t.status, t."group", coalesce(t.currency, '')
        LIMIT @rows
        """;

    /// <summary>The agencies in the order of ids, each summed up when its turn comes.</summary>
    private const string OfEach =
        $$"""
        SELECT t.id, t.name, g.status, g."group", g.currency, g.count, g.amount
        FROM agencies t
        CROSS JOIN LATERAL (
          {{Groups}}
          {{InstallmentSql.Source}}
          WHERE p.agency_id = t.id AND i.status IN ('pending', 'overdue')
          GROUP BY 1, 2, 3
        ) AS g
        {where}
        ORDER BY t.id, g.status, g."group", coalesce(g.currency, '')
        LIMIT @rows
        """;

    public static void MapInstallmentTotals(this ApiRoutes api) => api.Reads
        .MapGet("/installments/totals", ListAsync)
        .Takes(
            [
                QueryParameter.Word("by", "Whether all agencies are summed up together, or each.", "all", "agency")
                    with { Default = "all" },
                QueryParameter.Id("agency", "This agency alone."),
                .. PageRequest.Parameters,
                Csv.Parameter,
            ])
        .WithName("listInstallmentTotals")
        .WithSummary("Sums up what is pending and what is overdue.")
        .WithTags("Installments")
        .Fails(StatusCodes.Status422UnprocessableEntity);

    private static async Task<ListAnswer> ListAsync(
        HttpContext context, ClaimsPrincipal user, [FromServices] CallerDatabase database)
    {
        var query = context.QueryOf();
        var isOfEach = query.Text("by") == "agency" || query.Id("agency") is not null;
        var list = isOfEach ? $"{List} by agency" : List;
        var page = isOfEach
            ? PageRequest.Of(query, list, QueryKind.Id, QueryKind.Text, QueryKind.Text, QueryKind.Text)
            : PageRequest.Of(query, list, QueryKind.Text, QueryKind.Text, QueryKind.Text);
        if (page.After?.Contains(null) == true) query.Refuse(Cursor.Parameter.Name, PageRequest.ForeignCursor);
        if (query.Refusal() is { } refusal) return refusal;

        var caller = Caller.Of(user);
        var cancellationToken = context.RequestAborted;
        await using var session = await database.BeginAsync(caller, CallerAccess.Read, cancellationToken);
        var days = await LocalDays.ReadAsync(session, cancellationToken);
        var currency = await InstallmentSql.CurrencyAsync(session, cancellationToken);
        var totals = new RowList<InstallmentTotal>(
            list, "installment-totals.csv",
            after => isOfEach ? SqlOfEach(query, days, currency, after) : SqlOfAll(days, currency, after),
            InstallmentTotal.Read,
            total => isOfEach
                ? [total.AgencyId, total.Status, total.Group, total.Currency ?? ""]
                : [total.Status, total.Group, total.Currency ?? ""],
            InstallmentTotal.CsvColumns);
        return await totals.AnswerAsync(context, page, session, database, caller);
    }

    private static ListSql SqlOfAll(LocalDays days, string currency, object?[]? after)
    {
        var sql = Begin(OfAll, days, currency);
        if (after is null) return sql;
        sql.And("""(t.status, t."group", coalesce(t.currency, '')) > (@after_status, @after_group, @after_currency)""");
        WithGroup(sql, after);
        return sql;
    }

    internal static ListSql SqlOfEach(QueryValues query, LocalDays days, string currency, object?[]? after)
    {
        var sql = Begin(OfEach, days, currency);
        sql.And("t.id = @agency", "agency", NpgsqlDbType.Uuid, query.Id("agency"));
        if (after is null) return sql;
        // The first condition is for the index; only the agency at which the page before ended is summed up again.
        sql.And("t.id >= @after_agency", "after_agency", NpgsqlDbType.Uuid, after[0]);
        sql.And(
            """
            (t.id, g.status, g."group", coalesce(g.currency, ''))
                > (@after_agency, @after_status, @after_group, @after_currency)
            """);
        WithGroup(sql, after[1..]);
        return sql;
    }

    private static ListSql Begin(string template, LocalDays days, string currency)
    {
        var sql = new ListSql(template
            .Replace("{bucket}", AgeingBucket.Sql(InstallmentSql.DaysPastDue), StringComparison.Ordinal)
            .WithCurrency(currency));
        days.AddTo(sql);
        return sql;
    }

    private static void WithGroup(ListSql sql, object?[] after)
    {
        sql.With("after_status", NpgsqlDbType.Text, after[0]);
        sql.With("after_group", NpgsqlDbType.Text, after[1]);
        sql.With("after_currency", NpgsqlDbType.Text, after[2]);
    }
}
