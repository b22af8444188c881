using System.Text.Json;
using Actors.Tests.Integration.Grains;
using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Api.Agencies;

/// <summary>`PATCH /api/agencies/{id}`.</summary>
public sealed class AgencyChangingTests(AgencyApi api) : IClassFixture<AgencyApi>
{
    [Fact]
    public async Task What_is_named_changes_what_is_not_stays_and_the_new_ETag_is_that_of_the_next_GET()
    {
        var agency = await api.World.AddServedAgencyAsync("2026-03-02T18:00:00Z");
        using var response = await PatchAsync(agency, """{"name":"new","dueSoonThresholdDays":9}""");

        var answer = await AgencyApi.OkAsync(response);
        Assert.Equal("""["name","dueSoonThresholdDays"]""", answer.GetProperty("changed").GetRawText());
        Assert.Equal("new", answer.GetProperty("name").GetString());
        Assert.Equal(await ETagAsync(agency), response.Headers.ETag?.ToString());
        Assert.Equal("new UTC 17:00:00 9", await SettingsAsync(agency));
        Assert.Equal(
            $"{AgencyApi.AdminName}: due_soon_threshold_days, name",
            await api.World.ReadAsync<string>(
                """
                SELECT changed_by || ': ' || (SELECT string_agg(k, ', ' ORDER BY k) FROM jsonb_object_keys(details) k)
                FROM agency_changes WHERE agency_id = $1 AND kind = 'settings_changed'
                """, agency));
    }

    [Fact]
    public async Task A_cutoff_that_is_moved_behind_the_clock_has_passed_thereby_and_the_silos_serve_it()
    {
        var agency = await api.World.AddServedAgencyAsync("2026-03-03T18:00:00Z");
        var due = await api.World.AddInstallmentAsync(agency, "2026-03-04");
        api.World.Clock.Now = GrainWorld.At("2026-03-04T12:00:00Z");

        using var response = await PatchAsync(agency, """{"overdueCutoffTime":"11:30"}""");

        var answer = await AgencyApi.OkAsync(response);
        Assert.Equal(
            """{"date":"2026-03-04","hasPassed":true,"hasPassedThereby":true}""",
            answer.GetProperty("today").GetRawText());
        var next = answer.GetProperty("nextCutoff");
        Assert.Equal("2026-03-05", next.GetProperty("date").GetString());
        Assert.Equal("2026-03-05T11:30:00Z", next.GetProperty("at").GetProperty("instant").GetString());
        await api.World.Coordinator.SweepAsync();
        Assert.Equal("overdue", await api.World.StatusOfAsync(due));
    }

    [Fact]
    public async Task A_cutoff_that_is_moved_while_todays_is_ahead_has_not_passed()
    {
        var agency = await api.World.AddServedAgencyAsync("2026-03-05T18:00:00Z");
        api.World.Clock.Now = GrainWorld.At("2026-03-06T12:00:00Z");

        using var response = await PatchAsync(agency, """{"overdueCutoffTime":"12:01"}""");

        var answer = await AgencyApi.OkAsync(response);
        Assert.Equal(
            """{"date":"2026-03-06","hasPassed":false,"hasPassedThereby":false}""",
            answer.GetProperty("today").GetRawText());
        Assert.Equal(
            "2026-03-06T12:01:00Z",
            answer.GetProperty("nextCutoff").GetProperty("at").GetProperty("instant").GetString());
    }

    [Fact]
    public async Task A_day_that_was_served_has_passed_but_not_by_a_change_after_it()
    {
        var agency = await api.World.AddServedAgencyAsync("2026-03-07T18:00:00Z");

        using var response = await PatchAsync(agency, """{"overdueCutoffTime":"16:00"}""");

        Assert.Equal(
            """{"date":"2026-03-07","hasPassed":true,"hasPassedThereby":false}""",
            (await AgencyApi.OkAsync(response)).GetProperty("today").GetRawText());
    }

    [Fact]
    public async Task A_patch_that_changes_nothing_writes_nothing()
    {
        var agency = await api.World.AddAgencyAsync();
        var before = await RowAsync(agency);
        foreach (var json in (string[])["{}", """{"timezone":"UTC","overdueCutoffTime":"17:00:00"}"""])
        {
            using var response = await PatchAsync(agency, json);
            Assert.Empty((await AgencyApi.OkAsync(response)).GetProperty("changed").EnumerateArray());
        }

        Assert.Equal(before, await RowAsync(agency));
    }

    [Fact]
    public async Task Without_If_Match_it_is_428()
    {
        var agency = await api.World.AddAgencyAsync();
        using var response = await AgencyApi.SendAsync(
            api.Admin, HttpMethod.Patch, $"/api/agencies/{agency}", """{"name":"new"}""");

        await ApiAssert.ProblemAsync(response, 428, "if-match-required");
        Assert.Equal("any UTC 17:00:00 4", await SettingsAsync(agency));
    }

    [Theory]
    [InlineData("\"0123456789abcdef0123456789abcdef\"")]
    [InlineData("\"\"")]
    [InlineData("W/CURRENT")]
    public async Task An_ETag_that_is_not_the_current_one_is_412_with_the_current_one(string ifMatch)
    {
        var agency = await api.World.AddAgencyAsync();
        var current = await ETagAsync(agency);
        using var response = await PatchAsync(
            agency, """{"name":"new"}""", ifMatch.Replace("CURRENT", current, StringComparison.Ordinal));

        var problem = await ApiAssert.ProblemAsync(response, 412, "etag-mismatch");
        Assert.Equal(current, response.Headers.ETag?.ToString());
        Assert.Equal(current, problem.GetProperty("etag").GetString());
        Assert.Equal("any UTC 17:00:00 4", await SettingsAsync(agency));
    }

    [Theory]
    [InlineData("*")]
    [InlineData("\"another\", CURRENT")]
    public async Task Any_one_of_several_ETags_or_a_star_lets_it_pass(string ifMatch)
    {
        var agency = await api.World.AddAgencyAsync();
        var current = await ETagAsync(agency);
        using var response = await PatchAsync(
            agency, """{"name":"new"}""", ifMatch.Replace("CURRENT", current, StringComparison.Ordinal));

        Assert.Equal("new", (await AgencyApi.OkAsync(response)).GetProperty("name").GetString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("no quotes")]
    [InlineData("\"open")]
    public async Task An_If_Match_that_is_no_list_of_ETags_is_400(string ifMatch)
    {
        using var response = await PatchAsync(await api.World.AddAgencyAsync(), """{"name":"new"}""", ifMatch);

        await ApiAssert.ProblemAsync(response, 400, "invalid-if-match");
    }

    [Fact]
    public async Task Of_two_who_have_seen_the_same_only_the_first_changes_it_also_where_the_second_waits_for_it()
    {
        var agency = await api.World.AddAgencyAsync();
        var seen = await ETagAsync(agency);
        await using var connection = await api.World.Owner.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await using var first = await connection.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await using var change = new NpgsqlCommand(
            $"UPDATE agencies SET name = 'first' WHERE id = '{agency}'", connection, first);
        await change.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);

        var second = PatchAsync(agency, """{"dueSoonThresholdDays":9}""", seen);
        await Support.Eventually.HoldsAsync("the second waits for the first", () => api.World.ReadAsync<bool>(
            """
            SELECT EXISTS (
              SELECT FROM pg_locks JOIN pg_stat_activity USING (pid)
              WHERE datname = current_database() AND NOT granted)
            """));
        await first.CommitAsync(TestContext.Current.CancellationToken);

        using var response = await second;
        await ApiAssert.ProblemAsync(response, 412, "etag-mismatch");
        Assert.Equal(await ETagAsync(agency), response.Headers.ETag?.ToString());
        Assert.Equal("first UTC 17:00:00 4", await SettingsAsync(agency));
    }

    [Theory]
    [InlineData("""{"name":null}""", "name")]
    [InlineData("""{"overdueCutoffTime":null}""", "overdueCutoffTime")]
    [InlineData("""{"name":""}""", "name")]
    [InlineData("""{"timezone":"Mars/Olympus"}""", "timezone")]
    [InlineData("""{"overdueCutoffTime":"25:00"}""", "overdueCutoffTime")]
    [InlineData("""{"dueSoonThresholdDays":-1}""", "dueSoonThresholdDays")]
    [InlineData("""{"id":"11111111-2222-4333-8444-555555555555"}""", "id")]
    [InlineData("""{"pausedAt":null}""", "pausedAt")]
    public async Task What_is_wrong_is_said_by_name_and_nothing_is_changed(string json, string name)
    {
        var agency = await api.World.AddAgencyAsync();
        using var response = await PatchAsync(agency, json);

        var problem = await ApiAssert.ProblemAsync(response, 400, "invalid-body");
        Assert.NotEmpty(problem.GetProperty("errors").GetProperty(name)[0].GetString()!);
        Assert.Equal("any UTC 17:00:00 4", await SettingsAsync(agency));
    }

    [Fact]
    public async Task A_merge_patch_may_call_itself_one()
    {
        var agency = await api.World.AddAgencyAsync();
        using var request = new HttpRequestMessage(HttpMethod.Patch, $"/api/agencies/{agency}")
        {
            Content = new StringContent("""{"name":"new"}""", null, "application/merge-patch+json"),
        };
        request.Headers.TryAddWithoutValidation("If-Match", "*");
        using var response = await api.Admin.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal("new", (await AgencyApi.OkAsync(response)).GetProperty("name").GetString());
    }

    [Fact]
    public async Task What_is_not_there_is_404_also_to_a_star()
    {
        using var response = await PatchAsync(Guid.NewGuid(), """{"name":"new"}""", "*");

        await ApiAssert.ProblemAsync(response, 404, "agency-not-found");
    }

    [Fact]
    public async Task Where_no_silo_answers_the_settings_are_changed_all_the_same()
    {
        var agency = await api.World.AddAgencyAsync();
        using var response = await AgencyApi.SendAsync(
            await api.AloneAsync, HttpMethod.Patch, $"/api/agencies/{agency}", """{"name":"new"}""", ("If-Match", "*"));

        var answer = await AgencyApi.OkAsync(response);
        Assert.Equal("new", answer.GetProperty("name").GetString());
        Assert.Equal(JsonValueKind.Null, answer.GetProperty("today").ValueKind);
        Assert.NotEmpty(answer.GetProperty("notice").GetString()!);
    }

    private async Task<HttpResponseMessage> PatchAsync(Guid agency, string json, string? ifMatch = null) =>
        await AgencyApi.SendAsync(
            api.Admin, HttpMethod.Patch, $"/api/agencies/{agency}", json,
            ("If-Match", ifMatch ?? await ETagAsync(agency)));

    private async Task<string> ETagAsync(Guid agency)
    {
        using var response = await AgencyApi.GetAsync(api.Reader, $"/api/agencies/{agency}");
        return response.Headers.ETag!.ToString();
    }

    private Task<string> SettingsAsync(Guid agency) => api.World.ReadAsync<string>(
        """
        SELECT concat_ws(' ', name, timezone, overdue_cutoff_time, due_soon_threshold_days) FROM agencies WHERE id = $1
        """, agency);

    /// <summary>Which version of the row this is.</summary>
    private Task<string> RowAsync(Guid agency) =>
        api.World.ReadAsync<string>("SELECT xmin::text FROM agencies WHERE id = $1", agency);
}
