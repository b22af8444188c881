using System.Security.Claims;
using Actors.Api.Access;
using Actors.Api.Answers;
using Actors.Api.Requests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace Actors.Api.Jobs;

using ListAnswer = Results<Ok<Page<JobItem>>, CsvAnswer<JobItem>, ProblemHttpResult>;

/// <summary>`GET /api/jobs`: the log of runs, the newest first, in pages or as a file.</summary>
internal static class JobListing
{
    private const string List = "jobs";

    public static void MapJobListing(this ApiRoutes api) => api.Reads
        .MapGet("/jobs", ListAsync)
        .Takes([.. JobListSql.Filters, .. PageRequest.Parameters, Csv.Parameter])
        .WithName("listJobs")
        .WithSummary("Lists runs, the newest first.")
        .WithTags("Jobs")
        .Fails(StatusCodes.Status422UnprocessableEntity);

    private static async Task<ListAnswer> ListAsync(
        HttpContext context, ClaimsPrincipal user, [FromServices] CallerDatabase database)
    {
        var query = context.QueryOf();
        var page = PageRequest.Of(query, List, QueryKind.Instant, QueryKind.Id);
        if (page.After is [null, ..]) query.Refuse(Cursor.Parameter.Name, PageRequest.ForeignCursor);
        if (query.Refusal() is { } refusal) return refusal;

        var jobs = new RowList<JobItem>(
            List, "jobs.csv", after => JobListSql.Of(query, after), JobItem.Read, job => [job.StartedAt, job.Id],
            JobItem.CsvColumns);
        var caller = Caller.Of(user);
        await using var session = await database.BeginAsync(caller, CallerAccess.Read, context.RequestAborted);
        return await jobs.AnswerAsync(context, page, session, database, caller);
    }
}
