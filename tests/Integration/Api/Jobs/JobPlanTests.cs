using Actors.Api.Answers;
using Actors.Api.Jobs;
using NodaTime;
using Xunit;

namespace Actors.Tests.Integration.Api.Jobs;

/// <summary>
/// What PostgreSQL reads for a page of runs, in a log of 60,000: no more than the page holds, whatever the filter, also
/// where few of many rows pass it, far from the head, and under the row-level security of every kind of caller.
/// </summary>
public sealed class JobPlanTests(JobPlanTests.Log log) : IClassFixture<JobPlanTests.Log>
{
    private const int Rows = 51;

    private static readonly string?[] Names = [null, SomeJob.Ours, "mail", "yearly-close"];
    private static readonly string?[] Statuses = [null, "running", "success", "failed"];
    private static readonly string?[] Triggers = [null, "reminder", "watchdog", "api"];
    private static readonly (string Name, string Value)[][] Windows =
    [
        [], [("from", "2031-02-01T00:00:00Z"), ("to", "2031-02-03T00:00:00Z")],
    ];

    [Theory]
    [InlineData("actors_reader")]
    [InlineData("actors_admin")]
    [InlineData("authenticated")]
    public async Task A_page_of_runs_reads_no_more_than_a_few_pages_hold(string role)
    {
        foreach (var name in Names)
        foreach (var status in Statuses)
        foreach (var trigger in Triggers)
        foreach (var window in Windows)
        foreach (var after in (object?[]?[])[null, [SomeJob.Start + Duration.FromDays(33), Guid.Empty]])
        {
            var given = new List<(string, string)>(window);
            if (name is not null) given.Add(("job", name));
            if (status is not null) given.Add(("status", status));
            if (trigger is not null) given.Add(("trigger", trigger));
            var sql = JobListSql.Of(ListsApi.Query(JobListSql.Filters, [.. given]), after);

            var plan = await PlanAsync(role, sql);

            // Of a job or trigger with a handful of rows, PostgreSQL may as well take them all.
            Assert.True(
                plan.RowsTouched <= 10 * Rows && plan.RowsSorted <= 10 * Rows && !plan.ScannedOf("jobs_log").Any()
                && !plan.AsksPolicyForEachRow,
                $"{string.Join(' ', given)} after {after?[0]}: {plan.RowsTouched} rows\n{plan.Text}");
        }
    }

    [Theory]
    [InlineData("actors_reader")]
    [InlineData("authenticated")]
    public async Task The_runs_of_an_agency_are_found_by_its_own_rows_of_the_ledger(string role)
    {
        foreach (var status in Statuses)
        foreach (var window in Windows)
        {
            var given = new List<(string, string)>(window) { ("agency", log.Agency.ToString()) };
            if (status is not null) given.Add(("status", status));
            var sql = JobListSql.Of(ListsApi.Query(JobListSql.Filters, [.. given]), null);

            var plan = await PlanAsync(role, sql);

            // One look at the index of its rows, one at each run, and one at who may read which table.
            Assert.True(
                plan.RowsTouched <= 4 * Log.RunsOfAgency && !plan.ScannedOf("jobs_log", "agency_runs").Any()
                && !plan.AsksPolicyForEachRow,
                $"{string.Join(' ', given)}: {plan.RowsTouched} rows\n{plan.Text}");
        }
    }

    [Theory]
    [InlineData("actors_reader")]
    [InlineData("authenticated")]
    public async Task A_page_of_a_runs_agencies_reads_the_rows_that_it_holds(string role)
    {
        foreach (var status in (string?[])[null, "success", "failed", "skipped"])
        foreach (var after in (object?[]?[])[null, [log.MiddleAgency, null, Guid.Empty]])
        {
            (string, string)[] given = status is null ? [] : [("status", status)];
            var sql = JobAgencies.SqlOf(log.LargeRun, ListsApi.Query(JobAgencies.Filters, given), after);

            var plan = await PlanAsync(role, sql);

            // Each row of the ledger, its agency, and whether it was undone.
            Assert.True(
                plan.RowsTouched <= 10 * Rows && plan.RowsSorted <= Rows + 5
                && !plan.ScannedOf("agency_runs", "agencies").Any() && !plan.AsksPolicyForEachRow,
                $"{status} after {after?[0]}: {plan.RowsTouched} rows\n{plan.Text}");
        }
    }

    private Task<ListPlan> PlanAsync(string role, ListSql sql) => ListPlan.OfAsync(log.Api, role, sql, Rows);

    /// <summary>
    /// 60,000 rows over 60 days: one run of ours in three, with 5,000 agencies in one of them, and other programs'
    /// whose failures are common; four of `yearly-close`, and two by the watchdog.
    /// </summary>
    public sealed class Log : IAsyncLifetime
    {
        public const int RunsOfAgency = 60;

        public ListsApi Api { get; } = new();

        public Guid Agency { get; private set; }

        public Guid MiddleAgency { get; private set; }

        public Guid LargeRun { get; private set; }

        public async ValueTask InitializeAsync()
        {
            await Api.InitializeAsync();
            await Api.ExecuteAsync(
                """
                INSERT INTO jobs_log (id, job_name, started_at, completed_at, status, metadata)
                SELECT md5(n::text)::uuid,
                  CASE WHEN n % 3 = 0 THEN 'update-installment-statuses' WHEN n % 15000 = 1 THEN 'yearly-close'
                    ELSE 'mail' END,
                  timestamptz '2031-01-01Z' + n * interval '86 s', timestamptz '2031-01-01Z' + n * interval '87 s',
                  CASE WHEN n % 3 = 0 AND n % 900 <> 0 OR n % 2 = 0 THEN 'success' WHEN n % 7001 = 7 THEN 'running'
                    ELSE 'failed' END,
                  CASE WHEN n % 3 = 0 THEN jsonb_build_object(
                    'trigger',
                    CASE WHEN n % 30000 = 0 THEN 'watchdog' WHEN n % 2 = 0 THEN 'reminder' ELSE 'api' END) END
                FROM generate_series(1, 60000) AS n;
                INSERT INTO agencies (id, name) SELECT md5('a' || n)::uuid, 'any' FROM generate_series(1, 5000) AS n;
                INSERT INTO agency_runs (job_id, agency_id, cutoff_date, cutoff_at, serves_cutoff, trigger, started_at,
                  completed_at, status, timezone, overdue_cutoff_time, resolution, tzdb_version, error_message)
                SELECT md5((d * 999)::text)::uuid, md5('a' || n)::uuid, date '2031-01-01' + d, now(), n % 10 <> d % 10,
                  'reminder', now(), now(), CASE WHEN n % 500 = 0 THEN 'failed' ELSE 'success' END, 'UTC', '17:00',
                  'once', 'any', CASE WHEN n % 500 = 0 THEN 'boom' END
                FROM generate_series(1, 60) AS d,
                     generate_series(1, 5000) AS n WHERE d = 7 OR n <= 500;
                """);
            // As autovacuum does it; what is read from an index alone is only so where it has been.
            await Api.ExecuteAsync("VACUUM (ANALYZE) jobs_log, agency_runs, agencies");
            Agency = await Api.AskAsync<Guid>("SELECT md5('a17')::uuid");
            LargeRun = await Api.AskAsync<Guid>("SELECT md5('6993')::uuid");
            MiddleAgency = await Api.AskAsync<Guid>("SELECT id FROM agencies ORDER BY id LIMIT 1 OFFSET 2500");
        }

        public ValueTask DisposeAsync() => Api.DisposeAsync();
    }
}
