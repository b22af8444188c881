using System.Globalization;
using System.Text.Json;
using Actors.Tests.Integration.Api.Agencies;
using Xunit;

namespace Actors.Tests.Integration.Api.Jobs;

/// <summary>`GET /api/jobs/{id}/agencies`.</summary>
public sealed class JobAgenciesTests(ListsApi api) : IClassFixture<ListsApi>, IAsyncLifetime
{
    private readonly Guid _job = Guid.NewGuid();

    private string Path => $"/api/jobs/{_job}/agencies";

    public async ValueTask InitializeAsync()
    {
        await api.ClearAsync();
        await SomeJob.AddAsync(api, SomeJob.At(SomeJob.Start) with { Id = _job }, SomeJob.At(SomeJob.Start));
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task A_row_tells_the_cutoff_on_the_wall_clock_of_then_and_the_name_of_now()
    {
        var agency = Guid.NewGuid();
        await api.ExecuteAsync(
            $"INSERT INTO agencies (id, name, timezone) VALUES ('{agency}', 'Lernhaus', 'Europe/London')");
        await AddAsync(agency, "2031-03-01", status: "failed", timezone: "Asia/Tokyo");

        var row = Assert.Single((await AgencyApi.ReadAsync(api.Reader, Path)).GetProperty("items").EnumerateArray());

        Assert.Equal(agency, row.GetProperty("agencyId").GetGuid());
        Assert.Equal("Lernhaus", row.GetProperty("agencyName").GetString());
        var run = row.GetProperty("run");
        Assert.Equal("2031-03-01", run.GetProperty("cutoffDate").GetString());
        Assert.Equal("2031-03-01T08:00:00Z", run.GetProperty("cutoff").GetProperty("instant").GetString());
        Assert.Equal("2031-03-01T17:00:00", run.GetProperty("cutoff").GetProperty("local").GetString());
        Assert.Equal("Asia/Tokyo", run.GetProperty("cutoff").GetProperty("timezone").GetString());
        Assert.Equal(1.25, run.GetProperty("lateBySeconds").GetDouble());
        Assert.Equal("failed", run.GetProperty("status").GetString());
        Assert.Equal("boom", run.GetProperty("error").GetString());
    }

    [Fact]
    public async Task An_agency_that_was_deleted_is_still_in_the_run_without_a_name()
    {
        await AddAsync(Guid.NewGuid(), "2031-03-01");

        var row = Assert.Single((await AgencyApi.ReadAsync(api.AdminUser, Path)).GetProperty("items").EnumerateArray());

        Assert.Equal(JsonValueKind.Null, row.GetProperty("agencyName").ValueKind);
    }

    [Fact]
    public async Task Pages_cover_every_row_once_in_the_order_of_agencies_and_dates()
    {
        // Three agencies with several dates, a failure before any date was known, and two rows of one date.
        var agencies = Enumerable.Range(1, 3)
            .Select(n => Guid.Parse($"{n}0000000-0000-0000-0000-000000000000"))
            .ToArray();
        var expected = new List<string>();
        foreach (var agency in agencies)
        {
            await AddAsync(agency, null, status: "failed");
            expected.Add($"{agency} null");
            foreach (var date in (string[])["2031-03-03", "2031-03-01", "2031-03-02"]) await AddAsync(agency, date);
            await AddAsync(agency, "2031-03-02", serves: false);
            foreach (var date in (string[])["2031-03-01", "2031-03-02", "2031-03-02", "2031-03-03"])
                expected.Add($"{agency} {date}");
        }

        foreach (var limit in (int[])[1, 2, 3, 7, 200])
        {
            var rows = await AgencyApi.AllPagesAsync(api.Reader, Path, limit);
            Assert.Equal(
                expected,
                rows.Select(row =>
                    $"{row.GetProperty("agencyId").GetString()} "
                    + (row.GetProperty("run").GetProperty("cutoffDate").GetString() ?? "null")));
            Assert.Distinct(rows.Select(row => row.GetProperty("run").GetProperty("id").GetGuid()));
        }
    }

    [Theory]
    [InlineData("", "0 1 2 5 failed skipped")]
    [InlineData("status=success", "0 1 2 5")]
    [InlineData("status=failed", "failed")]
    [InlineData("status=skipped", "skipped")]
    [InlineData("minRecordsUpdated=1", "1 2 5")]
    [InlineData("minRecordsUpdated=2&status=success", "2 5")]
    [InlineData("minRecordsUpdated=1&status=failed", "")]
    public async Task Filters_leave_what_they_should(string query, string expected)
    {
        foreach (var marked in (int[])[0, 1, 2, 5]) await AddAsync(Guid.NewGuid(), "2031-03-01", marked: marked);
        foreach (var status in (string[])["failed", "skipped"]) await AddAsync(Guid.NewGuid(), "2031-03-01", status);

        var rows = await AgencyApi.AllPagesAsync(api.AdminUser, $"{Path}?{query}", 2);

        Assert.Equal(
            expected.Split(' ', StringSplitOptions.RemoveEmptyEntries),
            rows.Select(row => row.GetProperty("run")).Select(run => run.GetProperty("status").GetString() == "success"
                ? run.GetProperty("recordsUpdated").GetInt32().ToString(CultureInfo.InvariantCulture)
                : run.GetProperty("status").GetString()!).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("status=running", "status")]
    [InlineData("minRecordsUpdated=-1", "minRecordsUpdated")]
    [InlineData("minRecordsUpdated=1.5", "minRecordsUpdated")]
    [InlineData("agency=1", "agency")]
    [InlineData("limit=1000", "limit")]
    [InlineData("cursor=zzz", "cursor")]
    public async Task What_is_not_as_it_should_be_is_refused_by_name(string query, string parameter) =>
        Assert.NotEmpty(await ListsApi.RefusedAsync(api.Reader, $"{Path}?{query}", parameter));

    [Fact]
    public async Task The_file_has_names_that_agencies_chose_as_text()
    {
        var agency = Guid.NewGuid();
        await api.ExecuteAsync("INSERT INTO agencies (id, name) VALUES ($1, $2)", agency, "=cmd|' /C calc'!A0");
        await AddAsync(agency, "2031-03-01", marked: 2);

        var lines = (await ListsApi.CsvAsync(api.Reader, Path)).Split("\r\n");

        Assert.Equal(
            "agencyId,agencyName,agencyRunId,cutoffDate,cutoff,cutoffLocal,timezone,servesCutoff,trigger,requestedBy,"
            + "startedAt,completedAt,lateBySeconds,status,recordsUpdated,error,undoneAt",
            lines[0]);
        Assert.StartsWith($"{agency},\"'=cmd|' /C calc'!A0\",", lines[1], StringComparison.Ordinal);
        Assert.Contains(
            ",2031-03-01,2031-03-01T17:00:00Z,2031-03-01T17:00:00,UTC,true,reminder,,", lines[1],
            StringComparison.Ordinal);
        Assert.EndsWith(",1.25,success,2,,", lines[1], StringComparison.Ordinal);
    }

    private Task AddAsync(
        Guid agency, string? date, string status = "success", int marked = 0, bool serves = true,
        string timezone = "UTC") =>
        api.ExecuteAsync(
            $"""
            INSERT INTO agency_runs (job_id, agency_id, cutoff_date, cutoff_at, serves_cutoff, trigger, started_at,
              completed_at, late_by, status, timezone, overdue_cutoff_time, resolution, tzdb_version, records_updated,
              installment_ids, error_message)
            SELECT $1, $2, date, (date + time '17:00') AT TIME ZONE $3,
                   {(serves && date is not null ? "true" : "false")}, 'reminder', now(), now(), interval '1.25 s', $4, $3,
                   '17:00', CASE WHEN date IS NOT NULL THEN 'once' END, 'any', {marked}, ARRAY(SELECT gen_random_uuid() FROM generate_series(1, {marked})),
                   CASE WHEN $4 = 'failed' THEN 'boom' END
            FROM (SELECT {(date is null ? "NULL" : $"'{date}'")}::date) AS d (date)
            """,
            _job, agency, timezone, status);
}
