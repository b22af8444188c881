using System.Security.Claims;
using System.Text.Json;
using Actors.Api.Access;
using Actors.Api.Answers;
using Actors.Api.Requests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Npgsql;

namespace Actors.Api.Jobs;

/// <summary>`GET /api/jobs/{id}`: one run, with what failed in it, and how far it is where it is running.</summary>
internal static class JobDetails
{
    /// <summary>
    /// What the ledger has is counted for a run that is open: a closed one says it in its row, and another program's
    /// has nothing there.
    /// </summary>
    private const string Sql =
        $"""
        SELECT {JobItem.Columns}, j.error_message,
               CASE WHEN j.run_trigger IS NOT NULL THEN (j.metadata -> 'failures')::text END,
               f.agencies, f.agencies_failed, f.records_updated
        FROM jobs_log j
        LEFT JOIN LATERAL (
          SELECT count(DISTINCT r.agency_id)::integer AS agencies,
                 (count(DISTINCT r.agency_id) FILTER (WHERE r.status = 'failed'))::integer AS agencies_failed,
                 coalesce(sum(r.records_updated), 0)::integer AS records_updated
          FROM agency_runs r
          WHERE r.job_id = j.id
        ) AS f ON j.status = 'running' AND j.run_trigger IS NOT NULL
        WHERE j.id = @job
        """;

    private const int FailuresColumn = JobItem.ErrorColumn + 1;
    private const int ProgressColumn = FailuresColumn + 1;

    public static void MapJobDetails(this ApiRoutes api) => api.Reads
        .MapGet("/jobs/{id}", ReadAsync)
        .Takes([Csv.Parameter])
        .WithName("getJob")
        .WithSummary("One run, with what failed in it.")
        .WithTags("Jobs")
        .Fails(StatusCodes.Status404NotFound);

    private static async Task<Results<Ok<JobItem>, CsvAnswer<JobItem>, ProblemHttpResult>> ReadAsync(
        string id, HttpContext context, ClaimsPrincipal user, [FromServices] CallerDatabase database)
    {
        var query = context.QueryOf();
        if (query.Refusal() is { } refusal) return refusal;
        if (JobAddress.Parse(id) is not { } job) return JobAddress.NotFound(id);
        var cancellationToken = context.RequestAborted;
        await using var session = await database.BeginAsync(Caller.Of(user), CallerAccess.Read, cancellationToken);
        var rows = await session.ReadAsync(Sql, Read, cancellationToken, new NpgsqlParameter("job", job));
        if (rows is not [var found]) return JobAddress.NotFound(id);
        if (!Csv.IsAskedFor(context.Request, query)) return TypedResults.Ok(found);
        return new CsvAnswer<JobItem>($"job-{job}.csv", JobItem.CsvColumns, rows.ToAsyncEnumerable());
    }

    private static JobItem Read(NpgsqlDataReader reader) => JobItem.Read(reader) with
    {
        Failures = FailuresOf(reader.TextOrNull(FailuresColumn)),
        SoFar = reader.IsDBNull(ProgressColumn)
            ? null
            : new JobProgress(
                reader.GetInt32(ProgressColumn),
                reader.GetInt32(ProgressColumn + 1),
                reader.GetInt32(ProgressColumn + 2)),
    };

    /// <summary>The failures as `close_run` lists them; what is of another shape is left out.</summary>
    private static List<JobFailure> FailuresOf(string? json)
    {
        if (json is null) return [];
        using var document = JsonDocument.Parse(json);
        if (document.RootElement.ValueKind != JsonValueKind.Array) return [];
        return
        [
            .. from failure in document.RootElement.EnumerateArray()
               where failure.ValueKind == JsonValueKind.Object
               let agency = Text(failure, "agency_id")
               where Guid.TryParse(agency, out _)
               select new JobFailure(Guid.Parse(agency), Text(failure, "error") ?? ""),
        ];

        static string? Text(JsonElement element, string name) =>
            element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
                ? value.GetString()
                : null;
    }
}
