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
/// `GET /api/installments/due-soon`: what is due within the days that each agency has set, the earliest first. It is
/// computed, by each agency's own today, and stored nowhere.
/// </summary>
internal static class DueSoonListing
{
    private const string List = "installments due soon";

    private const string Sql =
        $$"""
        SELECT {{InstallmentSql.Columns}}
        {{InstallmentSql.Source}}
        {where}
        ORDER BY i.student_due_date, i.id
        LIMIT @rows
        """;

    public static void MapDueSoonListing(this ApiRoutes api) => api.Reads
        .MapGet("/installments/due-soon", ListAsync)
        .Takes(
            [
                QueryParameter.Id("agency", "Installments of this agency."),
                .. PageRequest.Parameters,
                Csv.Parameter,
            ])
        .WithName("listInstallmentsDueSoon")
        .WithSummary("Lists what is due soon by each agency's own today, the earliest first.")
        .WithTags("Installments")
        .Fails(StatusCodes.Status422UnprocessableEntity);

    private static async Task<ListAnswer> ListAsync(
        HttpContext context, ClaimsPrincipal user, [FromServices] CallerDatabase database)
    {
        var query = context.QueryOf();
        var page = PageRequest.Of(query, List, QueryKind.Date, QueryKind.Id);
        if (page.After is [null, ..]) query.Refuse(Cursor.Parameter.Name, PageRequest.ForeignCursor);
        if (query.Refusal() is { } refusal) return refusal;

        var caller = Caller.Of(user);
        var cancellationToken = context.RequestAborted;
        await using var session = await database.BeginAsync(caller, CallerAccess.Read, cancellationToken);
        var days = await LocalDays.ReadAsync(session, cancellationToken);
        var currency = await InstallmentSql.CurrencyAsync(session, cancellationToken);
        var installments = new RowList<InstallmentItem>(
            List, "installments-due-soon.csv", after => SqlOf(query, days, currency, after), InstallmentItem.Read,
            item => [item.DueDate, item.Id], InstallmentItem.CsvColumns);
        return await installments.AnswerAsync(context, page, session, database, caller);
    }

    internal static ListSql SqlOf(QueryValues query, LocalDays days, string currency, object?[]? after)
    {
        var sql = new ListSql(Sql.WithCurrency(currency));
        days.AddTo(sql);
        sql.And(InstallmentSql.IsDueSoon);
        sql.And(InstallmentSql.IsDated);
        // The dates between which the index is read: no agency's own lie outside of them.
        sql.And("i.student_due_date >= @first_due", "first_due", NpgsqlDbType.Date, days.First);
        sql.And(
            "i.student_due_date <= @last_due", "last_due", NpgsqlDbType.Date,
            days.Last?.PlusDays(InstallmentSql.DueSoonDaysAtMost));
        sql.And("p.agency_id = @agency", "agency", NpgsqlDbType.Uuid, query.Id("agency"));
        if (after is not null)
        {
            sql.And("(i.student_due_date, i.id) > (@after_date, @after_id)");
            sql.With("after_date", NpgsqlDbType.Date, after[0]);
            sql.With("after_id", NpgsqlDbType.Uuid, after[1]);
        }

        return sql;
    }
}
