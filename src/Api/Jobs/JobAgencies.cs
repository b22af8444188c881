using System.Security.Claims;
using Actors.Api.Access;
using Actors.Api.Agencies;
using Actors.Api.Answers;
using Actors.Api.Requests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using NpgsqlTypes;

namespace Actors.Api.Jobs;

using ListAnswer = Results<Ok<Page<JobAgencyItem>>, CsvAnswer<JobAgencyItem>, ProblemHttpResult>;

/// <summary>
/// `GET /api/jobs/{id}/agencies`: what a run did for each agency, in the order of their ids and then of dates. A page
/// is a walk along the run's part of the ledger; a filter by how much was marked walks past those with less.
/// </summary>
internal static class JobAgencies
{
    private const string List = "job agencies";
    private const string MinRecordsUpdated = "minRecordsUpdated";

    /// <summary>
    /// The index has the agencies of a run in order. The few rows that one agency has in it are put in order after
    /// that, what failed before any date was known first. Only then are names and undos looked up, row by row: in one
    /// join PostgreSQL walks through all agencies up to those of the page.
    /// </summary>
    private const string Sql =
        $$"""
        SELECT {{JobAgencyItem.Columns}}, {{LedgerItem.Columns}}
        FROM (
          SELECT r.*
          FROM agency_runs r
          {where}
          ORDER BY {{Order}}
          LIMIT @rows
        ) AS r
        LEFT JOIN agency_run_undos u ON u.agency_run_id = r.id
        ORDER BY {{Order}}
        """;

    private const string Order = "r.agency_id, coalesce(r.cutoff_date, '-infinity'), r.id";

    internal static IReadOnlyList<QueryParameter> Filters { get; } =
    [
        QueryParameter.Word("status", "Rows that ended so.", "success", "failed", "skipped"),
        QueryParameter.Number(MinRecordsUpdated, "Rows of at least so many installments marked.", 0, int.MaxValue),
    ];

    public static void MapJobAgencies(this ApiRoutes api) => api.Reads
        .MapGet("/jobs/{id}/agencies", ListAsync)
        .Takes([.. Filters, .. PageRequest.Parameters, Csv.Parameter])
        .WithName("listJobAgencies")
        .WithSummary("What a run did for each agency.")
        .WithTags("Jobs")
        .Fails(StatusCodes.Status404NotFound, StatusCodes.Status422UnprocessableEntity);

    private static async Task<ListAnswer> ListAsync(
        string id, HttpContext context, ClaimsPrincipal user, [FromServices] CallerDatabase database)
    {
        var query = context.QueryOf();
        var page = PageRequest.Of(query, List, QueryKind.Id, QueryKind.Date, QueryKind.Id);
        if (page.After is [null, ..]) query.Refuse(Cursor.Parameter.Name, PageRequest.ForeignCursor);
        if (query.Refusal() is { } refusal) return refusal;
        if (JobAddress.Parse(id) is not { } job) return JobAddress.NotFound(id);

        var rows = new RowList<JobAgencyItem>(
            List, $"job-{job}-agencies.csv", after => SqlOf(job, query, after), JobAgencyItem.Read,
            row => [row.AgencyId, row.Run.CutoffDate, row.Run.Id], JobAgencyItem.CsvColumns);
        var caller = Caller.Of(user);
        await using var session = await database.BeginAsync(caller, CallerAccess.Read, context.RequestAborted);
        if (await JobAddress.IsHiddenAsync(session, job, context.RequestAborted)) return JobAddress.NotFound(id);
        return await rows.AnswerAsync(context, page, session, database, caller);
    }

    internal static ListSql SqlOf(Guid job, QueryValues query, object?[]? after)
    {
        var sql = new ListSql(Sql);
        sql.And("r.job_id = @job", "job", NpgsqlDbType.Uuid, job);
        if (query.Text("status") is { } status)
        {
            sql.And(status switch
            {
                "success" => "r.status = 'success'",
                "failed" => "r.status = 'failed'",
                _ => "r.status = 'skipped'",
            });
        }

        sql.And(
            "r.records_updated >= @records_updated", "records_updated", NpgsqlDbType.Integer,
            query.Number(MinRecordsUpdated));
        if (after is not null)
        {
            // The first condition is for the index, the second for what an agency has more than one row of.
            sql.And("r.agency_id >= @after_agency");
            sql.And(
                """
                (r.agency_id, coalesce(r.cutoff_date, '-infinity'), r.id)
                    > (@after_agency, coalesce(@after_date, '-infinity'), @after_id)
                """);
            sql.With("after_agency", NpgsqlDbType.Uuid, after[0]);
            sql.With("after_date", NpgsqlDbType.Date, after[1]);
            sql.With("after_id", NpgsqlDbType.Uuid, after[2]);
        }

        return sql;
    }
}
