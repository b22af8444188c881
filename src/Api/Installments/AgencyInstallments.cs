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
using NpgsqlTypes;

namespace Actors.Api.Installments;

using ListAnswer = Results<Ok<Page<InstallmentItem>>, CsvAnswer<InstallmentItem>, ProblemHttpResult>;

/// <summary>
/// `GET /api/agencies/{id}/installments`: the installments of one agency, by due date, those without one last. They are
/// found by its plans and then sorted, so that a page costs what the agency has in the status that is asked for.
/// </summary>
internal static class AgencyInstallments
{
    private const string List = "agency installments";

    private const string Order = $"coalesce({InstallmentSql.DueDate}, 'infinity')";

    private const string Sql =
        $$"""
        SELECT {{InstallmentSql.Columns}}
        {{InstallmentSql.Source}}
        {where}
        ORDER BY {{Order}}, i.id
        LIMIT @rows
        """;

    /// <summary>
    /// The application's column may be an enum that lacks some of these words, so that only those two are compared as
    /// they are of which the migrations made sure; they are those with an index.
    /// </summary>
    private static readonly Dictionary<string, string> Statuses = new()
    {
        ["draft"] = "i.status::text = 'draft'",
        ["pending"] = "i.status = 'pending'",
        ["partial"] = "i.status::text = 'partial'",
        ["paid"] = "i.status::text = 'paid'",
        ["overdue"] = "i.status = 'overdue'",
        ["cancelled"] = "i.status::text = 'cancelled'",
    };

    public static void MapAgencyInstallments(this ApiRoutes api) => api.Reads
        .MapGet("/agencies/{id}/installments", ListAsync)
        .Takes(
            [
                QueryParameter.Word("status", "Installments in this status.", [.. Statuses.Keys]),
                .. PageRequest.Parameters,
                Csv.Parameter,
            ])
        .WithName("listAgencyInstallments")
        .WithSummary("Lists the installments of one agency by due date.")
        .WithTags("Installments")
        .Fails(StatusCodes.Status404NotFound, StatusCodes.Status422UnprocessableEntity);

    private static async Task<ListAnswer> ListAsync(
        string id, HttpContext context, ClaimsPrincipal user, [FromServices] CallerDatabase database)
    {
        var query = context.QueryOf();
        var page = PageRequest.Of(query, List, QueryKind.Date, QueryKind.Id);
        if (query.Refusal() is { } refusal) return refusal;
        if (AgencyAddress.Parse(id) is not { } agency) return AgencyAddress.NotFound(id);

        var caller = Caller.Of(user);
        var cancellationToken = context.RequestAborted;
        await using var session = await database.BeginAsync(caller, CallerAccess.Read, cancellationToken);
        var agencies = await session.ReadAsync(
            "SELECT id FROM agencies WHERE id = @agency", reader => reader.GetGuid(0), cancellationToken,
            new NpgsqlParameter("agency", agency));
        if (agencies.Count == 0) return AgencyAddress.NotFound(id);

        var days = await LocalDays.ReadAsync(session, cancellationToken);
        var currency = await InstallmentSql.CurrencyAsync(session, cancellationToken);
        var installments = new RowList<InstallmentItem>(
            List, $"agency-{agency}-installments.csv", after => SqlOf(agency, query, days, currency, after),
            InstallmentItem.Read, item => [item.DueDate, item.Id], InstallmentItem.CsvColumns);
        return await installments.AnswerAsync(context, page, session, database, caller);
    }

    internal static ListSql SqlOf(
        Guid agency, QueryValues query, LocalDays days, string currency, object?[]? after)
    {
        var sql = new ListSql(Sql.WithCurrency(currency));
        days.AddTo(sql);
        sql.And("p.agency_id = @agency", "agency", NpgsqlDbType.Uuid, agency);
        if (query.Text("status") is { } status) sql.And(Statuses[status]);
        if (after is not null)
        {
            sql.And($"({Order}, i.id) > (coalesce(@after_date, 'infinity'), @after_id)");
            sql.With("after_date", NpgsqlDbType.Date, after[0]);
            sql.With("after_id", NpgsqlDbType.Uuid, after[1]);
        }

        return sql;
    }
}
