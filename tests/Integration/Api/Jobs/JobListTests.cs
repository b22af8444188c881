using System.Net;
using System.Text.Json;
using Actors.Tests.Integration.Api.Agencies;
using NodaTime;
using Xunit;

namespace Actors.Tests.Integration.Api.Jobs;

/// <summary>`GET /api/jobs`: what an item says, who sees it, pages, and what is refused.</summary>
public sealed class JobListTests(ListsApi api) : IClassFixture<ListsApi>, IAsyncLifetime
{
    public ValueTask InitializeAsync() => new(api.ClearAsync());

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task A_run_of_ours_tells_what_started_it_and_what_came_of_it()
    {
        await api.ExecuteAsync(
            """
            INSERT INTO jobs_log (id, job_name, started_at, completed_at, records_updated, status, error_message,
              metadata)
            VALUES ('11111111-1111-1111-1111-111111111111', 'update-installment-statuses', '2031-03-01T07:00:00.25Z',
              '2031-03-01T07:00:02.75Z', 12, 'failed', '1 of 3 agencies failed: …',
              '{"trigger": "catch_up", "cutoff_at": "2031-03-01T17:00:00+10:00", "requested_by": "cron",
                "reason": "late", "agencies_asked": 4, "agencies_total": 3, "agencies_marked": 2,
                "agencies_failed": 1, "agencies_left": 1, "agencies": [{"agency_id": "…"}], "failures": []}')
            """);

        var item = Assert.Single((await AgencyApi.ReadAsync(api.Reader, "/api/jobs")).GetProperty("items")
            .EnumerateArray());

        Assert.Equal(
            """
            {"id":"11111111-1111-1111-1111-111111111111","jobName":"update-installment-statuses","status":"failed",
            "trigger":"catchUp","startedAt":"2031-03-01T07:00:00.25Z","completedAt":"2031-03-01T07:00:02.75Z",
            "durationSeconds":2.5,"cutoffAt":"2031-03-01T07:00:00Z","requestedBy":"cron","reason":"late",
            "recordsUpdated":12,"agenciesAsked":4,"agenciesTotal":3,"agenciesMarked":2,"agenciesFailed":1,
            "agenciesLeft":1,"error":"1 of 3 agencies failed: …"}
            """.ReplaceLineEndings(""),
            Unescaped(item));
    }

    [Fact]
    public async Task A_row_of_another_program_is_shown_with_what_it_has()
    {
        await api.ExecuteAsync(
            """
            INSERT INTO jobs_log (id, job_name, started_at, records_updated, status)
            VALUES ('22222222-2222-2222-2222-222222222222', 'nightly-mail', '2031-03-01T07:00Z', NULL, 'running')
            """);

        var item = Assert.Single((await AgencyApi.ReadAsync(api.AdminUser, "/api/jobs")).GetProperty("items")
            .EnumerateArray());

        Assert.Equal("nightly-mail", item.GetProperty("jobName").GetString());
        Assert.All(
            item.EnumerateObject().Where(field => field.Name is not ("id" or "jobName" or "status" or "startedAt")),
            field => Assert.Equal(JsonValueKind.Null, field.Value.ValueKind));
    }

    [Theory]
    [InlineData("""[]""")]
    [InlineData("""["trigger"]""")]
    [InlineData("\"trigger\"")]
    [InlineData("7")]
    [InlineData("null")]
    [InlineData("""{"trigger": null}""")]
    [InlineData("""{"trigger": {"deep": [1, 2]}, "agencies_total": 1e400, "cutoff_at": "yesterday"}""")]
    [InlineData("""{"trigger": "", "agencies_total": "many", "cutoff_at": 7}""")]
    [InlineData("""{"trigger": "x", "requested_by": [], "agencies_left": 1.5}""")]
    [InlineData("""{"trigger": "_", "failures": {"a": 1}}""")]
    [InlineData("""{"trigger": "api", "failures": [7, {}, {"agency_id": 7}, {"agency_id": "x"}]}""")]
    public async Task Whatever_another_program_wrote_as_metadata_can_be_logged_and_read(string metadata)
    {
        var id = Guid.NewGuid();
        await api.ExecuteAsync(
            "INSERT INTO jobs_log (id, job_name, started_at, status, metadata) "
            + $"VALUES ('{id}', 'odd', now(), 'running', '{metadata}')");

        var item = Assert.Single((await AgencyApi.ReadAsync(api.Reader, "/api/jobs?job=odd")).GetProperty("items")
            .EnumerateArray());
        var one = await AgencyApi.ReadAsync(api.Reader, $"/api/jobs/{id}");

        Assert.All(
            (string[])["agenciesTotal", "agenciesLeft", "cutoffAt", "requestedBy"],
            name => Assert.Equal(JsonValueKind.Null, item.GetProperty(name).ValueKind));
        Assert.Empty(one.GetProperty("failures").EnumerateArray());
    }

    [Fact]
    public async Task A_trigger_of_any_length_can_be_logged()
    {
        await api.ExecuteAsync(
            """
            INSERT INTO jobs_log (job_name, started_at, status, metadata)
            SELECT 'odd', now(), 'running', jsonb_build_object('trigger', string_agg(md5(n::text), ''))
            FROM generate_series(1, 1000) AS n
            """);

        Assert.Single(await ListsApi.IdsAsync(api.Reader, "/api/jobs"));
    }

    [Fact]
    public async Task A_long_error_is_cut_in_the_list_and_whole_in_the_run()
    {
        var id = Guid.NewGuid();
        await api.ExecuteAsync(
            $"INSERT INTO jobs_log (id, job_name, started_at, status, error_message) VALUES ('{id}', 'any', now(), "
            + "'failed', repeat('x', 5000))");

        var listed = (await AgencyApi.ReadAsync(api.Reader, "/api/jobs")).GetProperty("items")[0];
        var one = await AgencyApi.ReadAsync(api.Reader, $"/api/jobs/{id}");

        Assert.Equal(new string('x', 1000) + "…", listed.GetProperty("error").GetString());
        Assert.Equal(new string('x', 5000), one.GetProperty("error").GetString());
    }

    [Fact]
    public async Task Pages_cover_every_row_once_while_rows_are_inserted_at_the_head()
    {
        // All begin at one instant, so that ids alone tell them apart.
        var jobs = Enumerable.Range(0, 25).Select(_ => SomeJob.At(SomeJob.Start)).ToArray();
        await SomeJob.AddAsync(api, jobs);

        var seen = new List<Guid>();
        for (string? cursor = ""; cursor is not null;)
        {
            var page = await AgencyApi.ReadAsync(api.Reader, $"/api/jobs?limit=4&cursor={cursor}");
            seen.AddRange(page.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("id").GetGuid()));
            cursor = page.GetProperty("next").GetString();
            await SomeJob.AddAsync(api, SomeJob.At(SomeJob.Start + Duration.FromSeconds(seen.Count)));
        }

        Assert.Equal(jobs.Select(job => job.Id).Order(), seen.Order());
    }

    [Fact]
    public async Task Admins_see_every_row_and_whoever_is_none_sees_none()
    {
        await SomeJob.AddAsync(api, SomeJob.At(SomeJob.Start), SomeJob.At(SomeJob.Start));

        foreach (var seeing in (HttpClient[])[api.Reader, api.Admin, api.AdminUser])
            Assert.Equal(2, (await ListsApi.IdsAsync(seeing, "/api/jobs")).Count);
        Assert.Empty(await ListsApi.IdsAsync(api.OtherUser, "/api/jobs"));
        Assert.Equal(
            await ListsApi.CsvAsync(api.OtherUser, "/api/jobs"),
            (await ListsApi.CsvAsync(api.Reader, "/api/jobs")).Split("\r\n")[0] + "\r\n");
        using var refused = await AgencyApi.GetAsync(api.Trigger, "/api/jobs");
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
    }

    [Theory]
    [InlineData("limit=0", "limit")]
    [InlineData("limit=201", "limit")]
    [InlineData("limit=ten", "limit")]
    [InlineData("limit=5&limit=6", "limit")]
    [InlineData("limit=99999999999999999999", "limit")]
    [InlineData("status=done", "status")]
    [InlineData("status=Failed", "status")]
    [InlineData("trigger=catch_up", "trigger")]
    [InlineData("agency=1", "agency")]
    [InlineData("agency={11111111-1111-1111-1111-111111111111}", "agency")]
    [InlineData("from=yesterday", "from")]
    [InlineData("from=2031-01-01", "from")]
    [InlineData("to=2031-01-01T00:00:00", "to")]
    [InlineData("to=2031-13-01T00:00:00Z", "to")]
    [InlineData("to=99999-01-01T00:00:00Z", "to")]
    [InlineData("job=a%00b", "job")]
    [InlineData("job=a%0Ab", "job")]
    [InlineData("job=%ED%A0%80%00", "job")]
    [InlineData("format=xml", "format")]
    [InlineData("cursor=abc", "cursor")]
    [InlineData("cursor=%27%3B%20DROP%20TABLE%20jobs_log", "cursor")]
    [InlineData("offset=10", "offset")]
    [InlineData("Status=failed", "Status")]
    public async Task What_is_not_as_it_should_be_is_refused_by_name(string query, string parameter)
    {
        Assert.NotEmpty(await ListsApi.RefusedAsync(api.Reader, $"/api/jobs?{query}", parameter));
    }

    [Theory]
    [InlineData("alerts", "2031-01-01T00:00:00Z", "11111111-1111-1111-1111-111111111111")]
    [InlineData("jobs", null, "11111111-1111-1111-1111-111111111111")]
    [InlineData("jobs", "2031-01-01T00:00:00Z", null)]
    [InlineData("jobs", "2031-01-01T00:00:00Z", "x")]
    [InlineData("jobs", "2031-01-01", "11111111-1111-1111-1111-111111111111")]
    [InlineData("jobs", "2031-01-01T00:00:00Z")]
    public async Task A_cursor_of_another_list_or_made_by_hand_is_refused(params string?[] parts)
    {
        Assert.NotEmpty(
            await ListsApi.RefusedAsync(api.Reader, $"/api/jobs?cursor={ListsApi.Cursor(parts)}", "cursor"));
    }

    /// <summary>With the characters that JSON may escape as they are.</summary>
    private static string Unescaped(JsonElement item) => item.GetRawText().Replace("\\u2026", "…");
}
