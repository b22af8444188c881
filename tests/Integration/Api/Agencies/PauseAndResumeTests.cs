using System.Text.Json;
using Actors.Tests.Integration.Grains;
using Xunit;

namespace Actors.Tests.Integration.Api.Agencies;

/// <summary>`POST /api/agencies/{id}/pause` and `…/resume`.</summary>
public sealed class PauseAndResumeTests(AgencyApi api) : IClassFixture<AgencyApi>
{
    [Fact]
    public async Task A_paused_agency_says_since_when_by_whom_and_why()
    {
        var agency = await api.World.AddServedAgencyAsync("2026-03-02T18:00:00Z");

        var paused = (await OkAsync($"{agency}/pause", """{"reason":" The bank is closed "}""")).GetProperty("pause");
        var shown = await AgencyApi.ReadAsync(api.Reader, $"/api/agencies/{agency}");

        Assert.Equal("2026-03-02T18:00:00Z", paused.GetProperty("since").GetProperty("instant").GetString());
        Assert.Equal(AgencyApi.AdminName, paused.GetProperty("by").GetString());
        Assert.Equal("The bank is closed", paused.GetProperty("reason").GetString());
        Assert.Equal("paused", shown.GetProperty("state").GetString());
        Assert.Equal(paused.GetRawText(), shown.GetProperty("pause").GetRawText());
    }

    [Fact]
    public async Task Paused_again_it_is_409_with_the_pause_that_is()
    {
        var agency = await api.World.AddServedAgencyAsync("2026-03-03T18:00:00Z");
        await OkAsync($"{agency}/pause", """{"reason":"first"}""");

        using var response = await PostAsync($"{agency}/pause", """{"reason":"second"}""");

        var problem = await ApiAssert.ProblemAsync(response, 409, "agency-paused");
        Assert.Equal("first", problem.GetProperty("pause").GetProperty("reason").GetString());
    }

    [Fact]
    public async Task Who_paused_straight_in_SQL_is_not_known_and_nobody_else_is_named()
    {
        var agency = await api.World.AddServedAgencyAsync("2026-03-04T18:00:00Z");
        await OkAsync($"{agency}/pause", """{"reason":"first"}""");
        await OkAsync($"{agency}/resume", """{"reason":"done","mode":"skip"}""");
        await api.World.ExecuteAsync(
            "UPDATE agency_cutoffs SET paused_at = '2026-03-04 19:00Z' WHERE agency_id = $1", agency);

        var pause = (await AgencyApi.ReadAsync(api.Reader, $"/api/agencies/{agency}")).GetProperty("pause");

        Assert.Equal("2026-03-04T19:00:00Z", pause.GetProperty("since").GetProperty("instant").GetString());
        Assert.Equal(JsonValueKind.Null, pause.GetProperty("by").ValueKind);
        Assert.Equal(JsonValueKind.Null, pause.GetProperty("reason").ValueKind);
    }

    [Fact]
    public async Task Resumed_with_catchUp_it_serves_what_passed()
    {
        var agency = await api.World.AddServedAgencyAsync("2026-03-10T18:00:00Z");
        var due = await api.World.AddInstallmentAsync(agency, "2026-03-11");
        await OkAsync($"{agency}/pause", """{"reason":"any"}""");
        api.World.Clock.Now = GrainWorld.At("2026-03-12T18:00:00Z");

        var resumed = await OkAsync($"{agency}/resume", """{"reason":"done","mode":"catchUp"}""");

        Assert.Equal("resumed", resumed.GetProperty("outcome").GetString());
        Assert.Equal(1, resumed.GetProperty("recordsUpdated").GetInt32());
        Assert.Equal(["2026-03-11", "2026-03-12"], Dates(resumed, "served"));
        Assert.Empty(Dates(resumed, "skipped"));
        Assert.Equal("2026-03-13T17:00:00Z", resumed.GetProperty("nextCutoff").GetProperty("instant").GetString());
        Assert.NotEqual(Guid.Empty, resumed.GetProperty("jobId").GetGuid());
        Assert.Equal("overdue", await api.World.StatusOfAsync(due));
    }

    [Fact]
    public async Task Resumed_with_skip_it_leaves_what_passed_on_the_record()
    {
        var agency = await api.World.AddServedAgencyAsync("2026-03-20T18:00:00Z");
        var due = await api.World.AddInstallmentAsync(agency, "2026-03-21");
        await OkAsync($"{agency}/pause", """{"reason":"any"}""");
        api.World.Clock.Now = GrainWorld.At("2026-03-22T18:00:00Z");

        var resumed = await OkAsync($"{agency}/resume", """{"reason":"done","mode":"skip"}""");

        Assert.Equal(["2026-03-21", "2026-03-22"], Dates(resumed, "skipped"));
        Assert.Empty(Dates(resumed, "served"));
        Assert.Equal("pending", await api.World.StatusOfAsync(due));
        Assert.Equal("skip", resumed.GetProperty("mode").GetString());
    }

    [Fact]
    public async Task What_is_not_paused_is_409_to_resume()
    {
        var agency = await api.World.AddServedAgencyAsync("2026-03-25T18:00:00Z");

        using var response = await PostAsync($"{agency}/resume", """{"reason":"any","mode":"skip"}""");

        await ApiAssert.ProblemAsync(response, 409, "agency-not-paused");
    }

    [Theory]
    [InlineData("pause", null, "reason")]
    [InlineData("pause", "{}", "reason")]
    [InlineData("pause", """{"reason":"  "}""", "reason")]
    [InlineData("pause", """{"reason":7}""", "reason")]
    [InlineData("pause", """{"reason":"a\u0000"}""", "reason")]
    [InlineData("pause", """{"reason":"any","mode":"skip"}""", "mode")]
    [InlineData("resume", """{"reason":"any"}""", "mode")]
    [InlineData("resume", """{"mode":"skip"}""", "reason")]
    [InlineData("resume", """{"reason":"any","mode":"Skip"}""", "mode")]
    [InlineData("resume", """{"reason":"any","mode":true}""", "mode")]
    public async Task A_reason_is_needed_and_to_resume_a_mode(string verb, string? json, string name)
    {
        using var response = await PostAsync($"{await api.World.AddAgencyAsync()}/{verb}", json);

        var problem = await ApiAssert.ProblemAsync(response, 400, "invalid-body");
        Assert.NotEmpty(problem.GetProperty("errors").GetProperty(name)[0].GetString()!);
    }

    [Theory]
    [InlineData("pause", """{"reason":"any"}""")]
    [InlineData("resume", """{"reason":"any","mode":"skip"}""")]
    public async Task What_is_not_there_is_404_and_where_no_silo_answers_it_is_503(string verb, string json)
    {
        using var unknown = await PostAsync($"{Guid.NewGuid()}/{verb}", json);
        using var noUuid = await PostAsync($"no-uuid/{verb}", json);
        using var alone = await AgencyApi.PostAsync(
            await api.AloneAsync, $"/api/agencies/{await api.World.AddAgencyAsync()}/{verb}", json);
        using var reader = await AgencyApi.PostAsync(
            api.Reader, $"/api/agencies/{await api.World.AddAgencyAsync()}/{verb}", json);

        await ApiAssert.ProblemAsync(unknown, 404, "agency-not-found");
        await ApiAssert.ProblemAsync(noUuid, 404, "agency-not-found");
        await ApiAssert.ProblemAsync(alone, 503, "silo-unavailable");
        Assert.Equal(System.Net.HttpStatusCode.Forbidden, reader.StatusCode);
    }

    private Task<HttpResponseMessage> PostAsync(string path, string? json) =>
        AgencyApi.PostAsync(api.Admin, $"/api/agencies/{path}", json);

    private async Task<JsonElement> OkAsync(string path, string json)
    {
        using var response = await PostAsync(path, json);
        return await AgencyApi.OkAsync(response);
    }

    private static IEnumerable<string?> Dates(JsonElement answer, string rows) =>
        answer.GetProperty(rows).EnumerateArray().Select(row => row.GetProperty("date").GetString());
}
