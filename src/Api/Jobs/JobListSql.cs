using Actors.Api.Answers;
using Actors.Api.Requests;
using NpgsqlTypes;

namespace Actors.Api.Jobs;

/// <summary>
/// Reads the log of runs. A page is one walk along an index, from the row before it: there is one for each combination
/// of job, status and trigger. The runs of one agency are found by its ledger, row by row (some 5 µs each), and then
/// ordered: an agency has a row for each of its dates, and one for each run that was asked for.
/// </summary>
internal static class JobListSql
{
    private const string FromLog =
        $"""
        SELECT {JobItem.Columns}, {Error}
        FROM jobs_log j
        {Rest}
        """;

    /// <summary>
    /// Materialized, and begun at the agency: PostgreSQL cannot know how its runs are spread over the log, and may walk
    /// all of that to find the few.
    /// </summary>
    private const string FromLedger =
        $"""
        WITH of_agency AS MATERIALIZED (
          SELECT job_id FROM agency_runs WHERE agency_id = @agency AND serves_cutoff
          UNION
          SELECT job_id FROM agency_runs WHERE agency_id = @agency AND NOT serves_cutoff
        )
        SELECT {JobItem.Columns}, {Error}
        FROM of_agency o
        JOIN jobs_log j ON j.id = o.job_id
        {Rest}
        """;

    private const string Error =
        "CASE WHEN length(j.error_message) > 1000 THEN left(j.error_message, 1000) || '…' ELSE j.error_message END";

    private const string Rest =
        """
        {where}
        ORDER BY j.started_at DESC, j.id DESC
        LIMIT @rows
        """;

    /// <summary>The words of the API, and those of the database.</summary>
    private static readonly Dictionary<string, string> Triggers =
        ((string[])["reminder", "catch_up", "watchdog", "api"]).ToDictionary(DatabaseWord.InAnswers);

    public static IReadOnlyList<QueryParameter> Filters { get; } =
    [
        QueryParameter.Text("job", "Runs of the job of this name, such as update-installment-statuses."),
        QueryParameter.Word("status", "Runs that ended so, or that are running.", "running", "success", "failed"),
        QueryParameter.Word("trigger", "Runs that this started.", [.. Triggers.Keys]),
        QueryParameter.Id("agency", "Runs that have rows of this agency in the ledger."),
        QueryParameter.Instant("from", "Runs that began at this instant or later."),
        QueryParameter.Instant("to", "Runs that began before this instant."),
    ];

    /// <summary>The statement for the runs of a query, behind the keys of one of them.</summary>
    public static ListSql Of(QueryValues query, object?[]? after)
    {
        var sql = new ListSql(query.Id("agency") is null ? FromLog : FromLedger);
        if (query.Id("agency") is { } agency) sql.With("agency", NpgsqlDbType.Uuid, agency);
        sql.And("j.job_name = @job", "job", NpgsqlDbType.Text, query.Text("job"));
        // The column may be an enum, to which no text can be compared.
        if (query.Text("status") is { } status)
        {
            sql.And(status switch
            {
                "running" => "j.status = 'running'",
                "success" => "j.status = 'success'",
                _ => "j.status = 'failed'",
            });
        }

        if (query.Text("trigger") is { } trigger)
            sql.And("j.run_trigger = @trigger", "trigger", NpgsqlDbType.Text, Triggers[trigger]);
        sql.And("j.started_at >= @from", "from", NpgsqlDbType.TimestampTz, query.Instant("from"));
        sql.And("j.started_at < @to", "to", NpgsqlDbType.TimestampTz, query.Instant("to"));
        if (after is not null)
        {
            sql.And("(j.started_at, j.id) < (@after_at, @after_id)");
            sql.With("after_at", NpgsqlDbType.TimestampTz, after[0]);
            sql.With("after_id", NpgsqlDbType.Uuid, after[1]);
        }

        return sql;
    }
}
