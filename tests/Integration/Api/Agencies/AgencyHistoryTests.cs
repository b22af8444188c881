using System.Text.Json;
using Actors.Api.Requests;
using NodaTime;
using Xunit;

namespace Actors.Tests.Integration.Api.Agencies;

/// <summary>`GET /api/agencies/{id}/history`.</summary>
public sealed class AgencyHistoryTests(AgencyApi api) : IClassFixture<AgencyApi>
{
    [Fact]
    public async Task Everything_that_happened_is_one_timeline_the_newest_first()
    {
        var agency = await MadeUpAsync();

        var items = await ListAsync(agency, "");

        Assert.Equal(
            [
                "2026-03-06T00:00:00Z deleted Ada", "2026-03-05T17:00:00Z runUndone Ada wrong file",
                "2026-03-05T17:00:00Z run 5 Ada asked", "2026-03-04T17:00:00Z run 4",
                "2026-03-04T12:00:00Z resumed Ada", "2026-03-04T12:00:00Z paused Ada", "2026-03-04T12:00:00Z run 3", "2026-03-04T12:00:00Z run 2",
                "2026-03-01T00:00:00Z created Ada",
            ],
            items.Select(Line));
        var run = items[2].GetProperty("run");
        Assert.Equal("catchUp", run.GetProperty("trigger").GetString());
        Assert.Equal("laterOfTwo", run.GetProperty("resolution").GetString());
        Assert.Equal(90.5, run.GetProperty("lateBySeconds").GetDouble());
        Assert.Equal("wrong file", run.GetProperty("undone").GetProperty("reason").GetString());
        Assert.Equal(3, run.GetProperty("undone").GetProperty("restored").GetInt32());
        Assert.Equal("Asia/Tokyo", items[2].GetProperty("at").GetProperty("timezone").GetString());
        Assert.Equal(
            "2026-03-06T02:00:00", items[2].GetProperty("at").GetProperty("local").GetString());
        Assert.Equal("skip", items[4].GetProperty("details").GetProperty("mode").GetString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("?kind=run")]
    [InlineData("?kind=paused")]
    [InlineData("?to=2026-03-05T00:00:00Z")]
    [InlineData("?from=2026-03-04T12:00:00Z&to=2026-03-05T17:00:00Z")]
    public async Task Pages_of_every_size_give_every_row_once_and_in_order(string query)
    {
        var agency = await MadeUpAsync();
        var all = (await ListAsync(agency, query)).Select(item => item.GetRawText()).ToList();

        foreach (var limit in (int[])[1, 2, 3])
        {
            var paged = await AgencyApi.AllPagesAsync(api.Reader, $"/api/agencies/{agency}/history{query}", limit);
            Assert.Equal(all, paged.Select(item => item.GetRawText()));
        }
    }

    [Theory]
    [InlineData("?kind=run", 4)]
    [InlineData("?kind=paused", 1)]
    [InlineData("?kind=settingsChanged", 0)]
    [InlineData("?from=2026-03-04T17:00:00Z", 4)]
    [InlineData("?to=2026-03-04T17:00:00Z", 5)]
    [InlineData("?from=2026-03-04T12:00:00Z&to=2026-03-04T12:00:00.000001Z", 4)]
    [InlineData("?from=2030-01-01T00:00:00Z", 0)]
    public async Task It_is_filtered_by_kind_and_by_time_from_included_to_excluded(string query, int count) =>
        Assert.Equal(count, (await ListAsync(await MadeUpAsync(), query)).Count);

    [Fact]
    public async Task A_file_holds_all_of_it()
    {
        var agency = await MadeUpAsync();
        using var response = await AgencyApi.GetAsync(api.Reader, $"/api/agencies/{agency}/history?format=csv");

        var lines = (await response.Content.ReadAsStringAsync()).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("text/csv", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal($"history-{agency}.csv", response.Content.Headers.ContentDisposition?.FileName);
        Assert.Equal(10, lines.Length);
        Assert.StartsWith("at,atLocal,timezone,kind,by,reason,agencyRunId,", lines[0], StringComparison.Ordinal);
        Assert.StartsWith(
            "2026-03-05T17:00:00Z,2026-03-06T02:00:00,Asia/Tokyo,run,Ada,asked,", lines[3], StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_done_to_an_agency_is_in_it_at_once_and_stays_when_the_agency_is_deleted()
    {
        var agency = await api.World.AddServedAgencyAsync("2026-04-02T18:00:00Z");
        using var pause = await AgencyApi.PostAsync(
            api.Admin, $"/api/agencies/{agency}/pause", """{"reason":"holidays"}""");
        await AgencyApi.OkAsync(pause);
        await api.World.ExecuteAsync("UPDATE agencies SET overdue_cutoff_time = '09:00' WHERE id = $1", agency);
        await api.World.ExecuteAsync("DELETE FROM agencies WHERE id = $1", agency);

        var items = await ListAsync(agency, "");
        using var shown = await AgencyApi.GetAsync(api.Reader, $"/api/agencies/{agency}");

        await ApiAssert.ProblemAsync(shown, 404, "agency-not-found");
        Assert.Equal(
            new[] { "created", "deleted", "paused", "run", "settingsChanged" },
            items.Select(item => item.GetProperty("kind").GetString()).Order());
        var change = items.Single(item => item.GetProperty("kind").GetString() == "settingsChanged");
        Assert.Equal(
            """{"to":"09:00:00","from":"17:00:00"}""",
            change.GetProperty("details").GetProperty("overdue_cutoff_time").GetRawText());
        var paused = items.Single(item => item.GetProperty("kind").GetString() == "paused");
        Assert.Equal(AgencyApi.AdminName, paused.GetProperty("by").GetString());
        Assert.Equal("holidays", paused.GetProperty("reason").GetString());
    }

    [Theory]
    [InlineData("kind=everything", "kind")]
    [InlineData("from=now", "from")]
    [InlineData("to=2026-03-02", "to")]
    [InlineData("cursor=x", "cursor")]
    [InlineData("limit=-1", "limit")]
    public async Task What_it_does_not_take_is_refused_by_name(string query, string name)
    {
        using var response = await AgencyApi.GetAsync(
            api.Reader, $"/api/agencies/{await api.World.AddAgencyAsync()}/history?{query}");

        var problem = await ApiAssert.ProblemAsync(response, 400, "invalid-parameter");
        Assert.NotEmpty(problem.GetProperty("errors").GetProperty(name)[0].GetString()!);
    }

    [Fact]
    public async Task A_cursor_that_no_row_can_have_is_refused()
    {
        var agency = await api.World.AddAgencyAsync();
        var at = Instant.FromUtc(2026, 3, 2, 0, 0);
        foreach (var keys in (object?[][])
            [[at, 2, "7"], [at, 0, "x"], [at, 1, "7"], [at, 0, "-7"], [null, 0, "7"], [at, null, "7"], [at, 0, null]])
        {
            var cursor = Cursor.Write($"history {agency}", keys);
            using var response = await AgencyApi.GetAsync(
                api.Reader, $"/api/agencies/{agency}/history?cursor={cursor}");
            await ApiAssert.ProblemAsync(response, 400, "invalid-parameter");
        }
    }

    private Task<List<JsonElement>> ListAsync(Guid agency, string query) =>
        AgencyApi.AllPagesAsync(api.Reader, $"/api/agencies/{agency}/history{query}", 200);

    private static string Line(JsonElement item) => string.Join(' ', ((string?[])
    [
        item.GetProperty("at").GetProperty("instant").GetString(),
        item.GetProperty("kind").GetString(),
        item.GetProperty("run") is { ValueKind: JsonValueKind.Object } run
            ? run.GetProperty("cutoffDate").GetString()![^1..]
            : null,
        item.GetProperty("by").GetString(),
        item.GetProperty("reason").GetString(),
    ]).Where(part => part is not null));

    /// <summary>
    /// An agency that is gone, with rows at instants that several share: for those, changes come before runs, and each
    /// by its id.
    /// </summary>
    private async Task<Guid> MadeUpAsync()
    {
        var agency = Guid.NewGuid();
        await api.World.ExecuteAsync(
            """
            INSERT INTO agency_changes (agency_id, changed_at, changed_by, kind, reason, details)
            SELECT $1, at::timestamptz, 'Ada', kind, nullif(reason, ''), details::jsonb
            FROM (VALUES
              (1, '2026-03-01 00:00Z', 'created', '', '{}'), (2, '2026-03-04 12:00Z', 'paused', '', '{}'),
              (3, '2026-03-04 12:00Z', 'resumed', '', '{"mode":"skip"}'),
              (4, '2026-03-05 17:00Z', 'run_undone', 'wrong file', '{}'),
              (5, '2026-03-06 00:00Z', 'deleted', '', '{}')) AS c (n, at, kind, reason, details)
            ORDER BY n
            """,
            agency);
        for (var day = 2; day <= 5; day++)
        {
            // Ids in the order of days, so that of two at one instant it is known which is the later.
            var id = Guid.Parse($"{day:D8}-{agency.ToString()[9..]}");
            await api.World.ExecuteAsync(
                """
                INSERT INTO agency_runs (id, job_id, agency_id, cutoff_date, cutoff_at, serves_cutoff, trigger,
                  requested_by, reason, started_at, completed_at, late_by, status, timezone, overdue_cutoff_time,
                  resolution, tzdb_version, records_updated, installment_ids)
                SELECT $1, gen_random_uuid(), $2, DATE '2026-03-01' + ($3 - 1), now(), true, 'catch_up',
                  CASE WHEN $3 = 5 THEN 'Ada' END, CASE WHEN $3 = 5 THEN 'asked' END, at, at,
                  CASE WHEN $3 = 5 THEN interval '90.5 s' END, 'success', 'Asia/Tokyo', '17:00', 'later_of_two', '1',
                  0, '{}'
                FROM (SELECT ('2026-03-0' || greatest($3, 4))::timestamp AT TIME ZONE 'UTC'
                        + CASE WHEN $3 < 4 THEN interval '12 h' ELSE interval '17 h' END) AS t (at)
                """,
                id, agency, day);
            if (day == 5)
            {
                await api.World.ExecuteAsync(
                    """
                    INSERT INTO agency_run_undos (
                      agency_run_id, agency_id, undone_at, undone_by, reason, restored_ids, left_out)
                    VALUES ($1, $2, '2026-03-05 18:00Z', 'Ada', 'wrong file',
                      ARRAY[gen_random_uuid(), gen_random_uuid(), gen_random_uuid()], '[]')
                    """,
                    id, agency);
            }
        }

        return agency;
    }
}
