using System.Net.Http.Headers;
using Actors.Tests.Integration.Api.Agencies;
using NodaTime;
using Xunit;

namespace Actors.Tests.Integration.Api.Jobs;

/// <summary>The log of runs as a file.</summary>
public sealed class JobCsvTests(ListsApi api) : IClassFixture<ListsApi>, IAsyncLifetime
{
    private const string Header =
        "id,jobName,status,trigger,startedAt,completedAt,durationSeconds,cutoffAt,requestedBy,reason,recordsUpdated,"
        + "agenciesTotal,agenciesMarked,agenciesFailed,agenciesLeft,error\r\n";

    public ValueTask InitializeAsync() => new(api.ClearAsync());

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task What_a_spreadsheet_would_compute_is_text_and_what_has_commas_is_quoted()
    {
        await api.ExecuteAsync(
            """
            INSERT INTO jobs_log (id, job_name, started_at, completed_at, records_updated, status, error_message,
              metadata)
            VALUES ('11111111-1111-1111-1111-111111111111', '=HYPERLINK("http://x")', '2031-03-01T07:00Z',
              '2031-03-01T07:00:01.5Z', 3, 'failed', E'+1,"two"\nlines',
              '{"trigger": "api", "requested_by": "@cmd", "reason": "-2+3", "agencies_total": 1}')
            """);

        Assert.Equal(
            Header + "11111111-1111-1111-1111-111111111111,\"'=HYPERLINK(\"\"http://x\"\")\",failed,api,"
            + "2031-03-01T07:00:00Z,2031-03-01T07:00:01.5Z,1.5,,\"'@cmd\",\"'-2+3\",3,1,,,,"
            + "\"'+1,\"\"two\"\"\nlines\"\r\n",
            await ListsApi.CsvAsync(api.Reader, "/api/jobs"));
    }

    [Fact]
    public async Task Whoever_accepts_csv_gets_the_same_file_and_a_filter_is_kept()
    {
        await SomeJob.AddAsync(api, SomeJob.At(SomeJob.Start), SomeJob.At(SomeJob.Start) with { Status = "failed" });
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/jobs?status=failed");
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/csv"));

        using var response = await api.Reader.SendAsync(request, TestContext.Current.CancellationToken);

        var text = await response.Content.ReadAsStringAsync();
        Assert.Equal("jobs.csv", response.Content.Headers.ContentDisposition?.FileName);
        Assert.Equal(await ListsApi.CsvAsync(api.Reader, "/api/jobs?status=failed"), text);
        Assert.Equal(3, text.Split("\r\n").Length);
    }

    [Fact]
    public async Task A_file_has_every_row_once_in_order_whatever_the_limit_of_pages()
    {
        // More than two parts of the file, many of them at one instant.
        await SomeJob.AddAsync(
            api,
            [.. Enumerable.Range(0, 4_321).Select(n => SomeJob.At(SomeJob.Start + Duration.FromSeconds(n / 100)))]);

        var lines = (await ListsApi.CsvAsync(api.AdminUser, "/api/jobs?limit=3")).Split("\r\n");

        Assert.Equal(
            (await ListsApi.IdsAsync(api.Reader, "/api/jobs")).Select(id => id.ToString()),
            lines[1..^1].Select(line => line.Split(',')[0]));
    }

    [Fact]
    public async Task A_file_of_100_000_rows_is_written_and_one_more_is_too_many()
    {
        await api.ExecuteAsync(
            """
            INSERT INTO jobs_log (job_name, started_at, status)
            SELECT 'bulk', timestamptz '2031-01-01Z' + n * interval '1 s', 'success'
            FROM generate_series(1, 100001) AS n
            """);
        using (var response = await AgencyApi.GetAsync(api.Reader, "/api/jobs?format=csv"))
        {
            var problem = await ApiAssert.ProblemAsync(response, 422, "too-many-rows");
            Assert.Equal(100_000, problem.GetProperty("mostRows").GetInt32());
        }

        var csv = await ListsApi.CsvAsync(api.Reader, "/api/jobs?from=2031-01-01T00:00:02Z");
        Assert.Equal(100_000, csv.Split("\r\n").Length - 2);
    }

    [Fact]
    public async Task A_file_takes_no_cursor()
    {
        var cursor = ListsApi.Cursor("jobs", "2031-01-01T00:00:00Z", Guid.NewGuid().ToString());

        Assert.Contains(
            "every row", await ListsApi.RefusedAsync(api.Reader, $"/api/jobs?format=csv&cursor={cursor}", "cursor"),
            StringComparison.Ordinal);
    }
}
