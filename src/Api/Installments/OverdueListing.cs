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

using ListAnswer = Results<Ok<Page<InstallmentItem>>, CsvAnswer<InstallmentItem>, ProblemHttpResult>;

/// <summary>
/// `GET /api/installments/overdue`: what is overdue and since how long, whatever became of its plan. In the order of
/// due dates a page is a walk along an index; in the order of amounts all that is overdue is sorted (150 ms for
/// 100,000). What is overdue without a due date, which only the application can bring about, is in its agency's list.
/// </summary>
internal static class OverdueListing
{
    private const string List = "overdue installments";

    private const string Sql =
        $$"""
        SELECT {{InstallmentSql.Columns}}
        {{InstallmentSql.Source}}
        {where}
        ORDER BY {order}
        LIMIT @rows
        """;

    public static void MapOverdueListing(this ApiRoutes api) => api.Reads
        .MapGet("/installments/overdue", ListAsync)
        .Takes(
            [
                QueryParameter.Word(
                    "bucket",
                    "How many days past due, by the agency's own today; the first holds what became overdue today too.",
                    [.. AgeingBucket.All.Select(bucket => bucket.Word)]),
                QueryParameter.Id("agency", "Installments of this agency."),
                QueryParameter.Word("sort", "The order; with - in front, backwards.", [.. OverdueOrder.Words])
                    with { Default = "dueDate" },
                .. PageRequest.Parameters,
                Csv.Parameter,
            ])
        .WithName("listOverdueInstallments")
        .WithSummary("Lists what is overdue, and since how long.")
        .WithTags("Installments")
        .Fails(StatusCodes.Status422UnprocessableEntity);

    private static async Task<ListAnswer> ListAsync(
        HttpContext context, ClaimsPrincipal user, [FromServices] CallerDatabase database)
    {
        var query = context.QueryOf();
        var order = OverdueOrder.Named(query.Text("sort") ?? "dueDate");
        var list = $"{List} {order.Word}";
        var page = PageRequest.Of(query, list, order.Kind, QueryKind.Id);
        if (page.After is [var key, ..] && order.Parameter(key) is null)
            query.Refuse(Cursor.Parameter.Name, PageRequest.ForeignCursor);
        if (query.Refusal() is { } refusal) return refusal;

        var caller = Caller.Of(user);
        var cancellationToken = context.RequestAborted;
        await using var session = await database.BeginAsync(caller, CallerAccess.Read, cancellationToken);
        var days = await LocalDays.ReadAsync(session, cancellationToken);
        var currency = await InstallmentSql.CurrencyAsync(session, cancellationToken);
        var installments = new RowList<InstallmentItem>(
            list, "installments-overdue.csv", after => SqlOf(query, order, days, currency, after),
            InstallmentItem.Read, item => [order.KeyOf(item), item.Id], InstallmentItem.CsvColumns);
        return await installments.AnswerAsync(context, page, session, database, caller);
    }

    internal static ListSql SqlOf(
        QueryValues query, OverdueOrder order, LocalDays days, string currency, object?[]? after)
    {
        var (comes, direction) = order.IsBackwards ? ("<", "DESC") : (">", "ASC");
        var sql = new ListSql(Sql.WithCurrency(currency).Replace(
            "{order}", $"{order.Key} {direction}, i.id {direction}", StringComparison.Ordinal));
        days.AddTo(sql);
        sql.And("i.status = 'overdue'");
        sql.And(InstallmentSql.IsDated);
        if (query.Text("bucket") is { } word) AndBucket(sql, AgeingBucket.Named(word), days);
        sql.And("p.agency_id = @agency", "agency", NpgsqlDbType.Uuid, query.Id("agency"));
        if (after is not null)
        {
            sql.And($"({order.Key}, i.id) {comes} (@after_key, @after_id)");
            sql.With("after_key", order.Type, order.Parameter(after[0]));
            sql.With("after_id", NpgsqlDbType.Uuid, after[1]);
        }

        return sql;
    }

    private static void AndBucket(ListSql sql, AgeingBucket bucket, LocalDays days)
    {
        sql.And("z.today IS NOT NULL");
        sql.And("i.student_due_date <= z.today - @least_days", "least_days", NpgsqlDbType.Integer, bucket.Least);
        sql.And("i.student_due_date >= z.today - @most_days", "most_days", NpgsqlDbType.Integer, bucket.Most);
        // The dates between which the index is read: the bucket of no zone lies outside of them.
        sql.And(
            "i.student_due_date >= @first_due", "first_due", NpgsqlDbType.Date, bucket.FirstDueDate(days.First));
        sql.And("i.student_due_date <= @last_due", "last_due", NpgsqlDbType.Date, bucket.LastDueDate(days.Last));
    }
}
