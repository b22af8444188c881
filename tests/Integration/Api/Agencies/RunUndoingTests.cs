using System.Text.Json;
using Actors.Grains.Interfaces;
using Actors.Tests.Integration.Grains;
using Xunit;

namespace Actors.Tests.Integration.Api.Agencies;

/// <summary>`POST /api/agency-runs/{id}/undo`.</summary>
public sealed class RunUndoingTests(AgencyApi api) : IClassFixture<AgencyApi>
{
    [Fact]
    public async Task An_undo_restores_what_it_can_says_what_it_left_and_when_the_agency_decides_anew()
    {
        var (agency, run, installments) = await MarkedAsync("2026-03-02", 3);
        await api.World.ExecuteAsync("UPDATE installments SET status = 'paid' WHERE id = $1", installments[0]);
        await api.World.ExecuteAsync("DELETE FROM installments WHERE id = $1", installments[1]);

        using var response = await UndoAsync(run, """{"reason":"The bank's file was wrong"}""");

        var undone = await AgencyApi.OkAsync(response);
        Assert.Equal(1, undone.GetProperty("restored").GetInt32());
        Assert.Equal(2, undone.GetProperty("leftOutCount").GetInt32());
        Assert.Equal(
            new[] { $"{installments[0]} paid", $"{installments[1]} deleted" }.Order(),
            undone.GetProperty("leftOut").EnumerateArray()
                .Select(left => $"{left.GetProperty("installmentId")} {left.GetProperty("why")}").Order());
        Assert.Equal(agency, undone.GetProperty("agencyId").GetGuid());
        Assert.Equal("2026-03-03T17:00:00Z", undone.GetProperty("decidedAnewAt").GetProperty("instant").GetString());
        Assert.Equal("pending", await api.World.StatusOfAsync(installments[2]));
    }

    [Fact]
    public async Task Undone_again_it_is_409_with_when_it_was()
    {
        var (_, run, _) = await MarkedAsync("2026-03-05", 1);
        using var first = await UndoAsync(run, """{"reason":"any"}""");
        using var second = await UndoAsync(run, """{"reason":"any"}""");

        await AgencyApi.OkAsync(first);
        var problem = await ApiAssert.ProblemAsync(second, 409, "run-already-undone");
        Assert.Equal("2026-03-05T18:00:00Z", problem.GetProperty("undoneAt").GetString());
        Assert.Equal(1, problem.GetProperty("restored").GetInt32());
    }

    [Fact]
    public async Task Where_nothing_can_be_restored_it_is_409_with_the_reasons()
    {
        var (_, none, _) = await MarkedAsync("2026-03-07", 0);
        var (_, paid, installments) = await MarkedAsync("2026-03-08", 1);
        await api.World.ExecuteAsync("UPDATE installments SET status = 'paid' WHERE id = $1", installments[0]);

        using var nothing = await UndoAsync(none, """{"reason":"any"}""");
        using var allPaid = await UndoAsync(paid, """{"reason":"any"}""");

        await ApiAssert.ProblemAsync(nothing, 409, "nothing-to-undo");
        var problem = await ApiAssert.ProblemAsync(allPaid, 409, "nothing-to-undo");
        var left = Assert.Single(problem.GetProperty("leftOut").EnumerateArray());
        Assert.Equal("paid", left.GetProperty("why").GetString());
    }

    [Fact]
    public async Task A_paused_agency_decides_anew_when_it_is_resumed_which_is_said()
    {
        var (agency, run, _) = await MarkedAsync("2026-03-10", 1);
        using var pause = await AgencyApi.PostAsync(api.Admin, $"/api/agencies/{agency}/pause", """{"reason":"any"}""");
        await AgencyApi.OkAsync(pause);

        using var response = await UndoAsync(run, """{"reason":"any"}""");

        var undone = await AgencyApi.OkAsync(response);
        Assert.Equal(JsonValueKind.Null, undone.GetProperty("decidedAnewAt").ValueKind);
        Assert.Contains("paused", undone.GetProperty("notice").GetString()!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("11111111-2222-4333-8444-555555555555")]
    [InlineData("no-uuid")]
    public async Task A_run_that_is_not_there_is_404(string id)
    {
        using var response = await AgencyApi.PostAsync(
            api.Admin, $"/api/agency-runs/{id}/undo", """{"reason":"any"}""");

        await ApiAssert.ProblemAsync(response, 404, "agency-run-not-found");
    }

    [Fact]
    public async Task A_reason_is_needed_and_the_scope_of_admins()
    {
        var (_, run, installments) = await MarkedAsync("2026-03-12", 1);
        using var noReason = await UndoAsync(run, "{}");
        using var reader = await AgencyApi.PostAsync(
            api.Reader, $"/api/agency-runs/{run}/undo", """{"reason":"any"}""");
        using var alone = await AgencyApi.PostAsync(
            await api.AloneAsync, $"/api/agency-runs/{run}/undo", """{"reason":"any"}""");

        await ApiAssert.ProblemAsync(noReason, 400, "invalid-body");
        Assert.Equal(System.Net.HttpStatusCode.Forbidden, reader.StatusCode);
        await ApiAssert.ProblemAsync(alone, 503, "silo-unavailable");
        Assert.Equal("overdue", await api.World.StatusOfAsync(installments[0]));
    }

    /// <summary>An agency whose run of a day has marked so many installments.</summary>
    private async Task<(Guid Agency, Guid Run, Guid[] Installments)> MarkedAsync(string day, int count)
    {
        var agency = await api.World.AddServedAgencyAsync($"{day}T10:00:00Z");
        var installments = new Guid[count];
        for (var n = 0; n < count; n++) installments[n] = await api.World.AddInstallmentAsync(agency, day);
        api.World.Clock.Now = GrainWorld.At($"{day}T18:00:00Z");
        await api.World.BringUpToDateAsync(agency, RunTrigger.CatchUp);
        var run = await api.World.ReadAsync<Guid>(
            "SELECT id FROM agency_runs WHERE agency_id = $1 AND cutoff_date = $2::text::date", agency, day);
        return (agency, run, installments);
    }

    private Task<HttpResponseMessage> UndoAsync(Guid run, string json) =>
        AgencyApi.PostAsync(api.Admin, $"/api/agency-runs/{run}/undo", json);
}
