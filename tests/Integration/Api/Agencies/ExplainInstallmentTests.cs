using System.Text.Json;
using Actors.Grains.Interfaces;
using Actors.Tests.Integration.Grains;
using Xunit;

namespace Actors.Tests.Integration.Api.Agencies;

/// <summary>`GET /api/installments/{id}/explain`.</summary>
public sealed class ExplainInstallmentTests(AgencyApi api) : IClassFixture<AgencyApi>
{
    [Fact]
    public async Task What_a_run_marked_names_the_run_its_cutoff_and_its_rule()
    {
        var agency = await api.World.AddServedAgencyAsync("2026-03-02T10:00:00Z", "Asia/Tokyo");
        var installment = await api.World.AddInstallmentAsync(agency, "2026-03-03");
        api.World.Clock.Now = GrainWorld.At("2026-03-03T08:00:05Z");
        await api.World.BringUpToDateAsync(agency, RunTrigger.CatchUp);

        var explained = await ReadAsync(installment);

        Assert.True(explained.GetProperty("isOverdue").GetBoolean());
        Assert.Equal("alreadyOverdue", explained.GetProperty("reason").GetString());
        Assert.Equal("2026-03-03T08:00:00Z", explained.GetProperty("overdueSince").GetProperty("instant").GetString());
        Assert.Equal("2026-03-03", explained.GetProperty("markedBy").GetProperty("cutoffDate").GetString());
        Assert.Equal(agency, explained.GetProperty("agencyId").GetGuid());
        Assert.Equal(
            "It is overdue. It was due on 2026-03-03 and pending under an active plan when the cutoff of 2026-03-03, "
            + "2026-03-03 17:00 in Asia/Tokyo, had passed, and a run of its agency marked it on "
            + "2026-03-03 17:00:05 in Asia/Tokyo.",
            explained.GetProperty("sentence").GetString());
    }

    [Theory]
    [InlineData("2026-03-28", "2026-03-28T01:30:00Z", "2026-03-28 02:30 in Europe/Paris")]
    [InlineData("2026-03-29", "2026-03-29T01:30:00Z", "The clocks skip")]
    [InlineData("2026-10-25", "2026-10-25T01:30:00Z", "comes twice")]
    [InlineData("2031-07-01", "2031-07-01T00:30:00Z", "2031-07-01 02:30 in Europe/Paris")]
    public async Task What_is_not_due_yet_says_at_which_instant_it_becomes_overdue(
        string due, string instant, string says)
    {
        var agency = await api.World.AddServedAgencyAsync("2026-03-27T18:00:00Z", "Europe/Paris", "02:30");
        var installment = await api.World.AddInstallmentAsync(agency, due);

        var explained = await ReadAsync(installment);

        Assert.Equal("notDueUntil", explained.GetProperty("reason").GetString());
        Assert.Equal(instant, explained.GetProperty("becomesOverdueAt").GetProperty("instant").GetString());
        Assert.Contains(says, explained.GetProperty("sentence").GetString()!, StringComparison.Ordinal);
        Assert.False(explained.GetProperty("isOverdue").GetBoolean());
    }

    [Fact]
    public async Task What_was_added_after_its_date_was_served_waits_for_the_next_cutoff()
    {
        var agency = await api.World.AddServedAgencyAsync("2026-04-02T18:00:00Z");
        var installment = await api.World.AddInstallmentAsync(agency, "2026-04-01");

        var explained = await ReadAsync(installment);

        Assert.Equal("due", explained.GetProperty("reason").GetString());
        Assert.Equal(
            "2026-04-03T17:00:00Z", explained.GetProperty("becomesOverdueAt").GetProperty("instant").GetString());
    }

    [Fact]
    public async Task What_an_undo_restored_says_so_and_names_the_run()
    {
        var agency = await api.World.AddServedAgencyAsync("2026-05-02T10:00:00Z");
        var installment = await api.World.AddInstallmentAsync(agency, "2026-05-02");
        api.World.Clock.Now = GrainWorld.At("2026-05-02T18:00:00Z");
        await api.World.BringUpToDateAsync(agency, RunTrigger.CatchUp);
        var run = (await ReadAsync(installment)).GetProperty("markedBy").GetProperty("id").GetGuid();
        using var undo = await AgencyApi.PostAsync(
            api.Admin, $"/api/agency-runs/{run}/undo", """{"reason":"wrong file"}""");
        await AgencyApi.OkAsync(undo);

        var explained = await ReadAsync(installment);

        Assert.Equal("due", explained.GetProperty("reason").GetString());
        Assert.Contains(
            $"was undone by {AgencyApi.AdminName}", explained.GetProperty("sentence").GetString()!,
            StringComparison.Ordinal);
        Assert.Equal(JsonValueKind.Null, explained.GetProperty("markedBy").ValueKind);
        var undone = Assert.Single(explained.GetProperty("undoneRuns").EnumerateArray());
        Assert.Equal(run, undone.GetProperty("id").GetGuid());
        Assert.Equal("wrong file", undone.GetProperty("undone").GetProperty("reason").GetString());

        api.World.Clock.Now = GrainWorld.At("2026-05-03T18:00:00Z");
        await api.World.BringUpToDateAsync(agency, RunTrigger.CatchUp);
        var again = await ReadAsync(installment);
        Assert.Equal("2026-05-03", again.GetProperty("markedBy").GetProperty("cutoffDate").GetString());
        Assert.Single(again.GetProperty("undoneRuns").EnumerateArray());
    }

    [Fact]
    public async Task A_due_date_that_was_put_off_after_the_marking_still_leads_to_the_run()
    {
        var agency = await api.World.AddServedAgencyAsync("2026-06-02T10:00:00Z");
        var installment = await api.World.AddInstallmentAsync(agency, "2026-06-02");
        api.World.Clock.Now = GrainWorld.At("2026-06-02T18:00:00Z");
        await api.World.BringUpToDateAsync(agency, RunTrigger.CatchUp);
        await api.World.ExecuteAsync(
            "UPDATE installments SET student_due_date = '2026-09-01' WHERE id = $1", installment);

        var explained = await ReadAsync(installment);

        Assert.Equal("2026-06-02", explained.GetProperty("markedBy").GetProperty("cutoffDate").GetString());
    }

    [Fact]
    public async Task What_another_program_set_overdue_is_not_pinned_on_a_run()
    {
        var agency = await api.World.AddServedAgencyAsync("2026-06-05T18:00:00Z");
        var installment = await api.World.AddInstallmentAsync(agency, "2026-06-01", "overdue");

        var explained = await ReadAsync(installment);

        Assert.True(explained.GetProperty("isOverdue").GetBoolean());
        Assert.Equal(JsonValueKind.Null, explained.GetProperty("markedBy").ValueKind);
        Assert.Contains("another program", explained.GetProperty("sentence").GetString()!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_no_silo_answers_what_is_a_fact_is_explained_and_the_rest_said_to_be_unknown()
    {
        var agency = await api.World.AddServedAgencyAsync("2026-06-08T18:00:00Z");
        var paid = await api.World.AddInstallmentAsync(agency, "2026-06-01", "paid");
        var pending = await api.World.AddInstallmentAsync(agency, "2026-07-01");

        var known = await AgencyApi.ReadAsync(await api.AloneAsync, $"/api/installments/{paid}/explain");
        var unknown = await AgencyApi.ReadAsync(await api.AloneAsync, $"/api/installments/{pending}/explain");

        Assert.Equal("paid", known.GetProperty("reason").GetString());
        Assert.Equal("ruleUnknown", unknown.GetProperty("reason").GetString());
        Assert.Equal(JsonValueKind.Null, unknown.GetProperty("rule").ValueKind);
        Assert.NotEmpty(unknown.GetProperty("notice").GetString()!);
    }

    [Fact]
    public async Task Without_a_due_date_it_never_becomes_overdue()
    {
        var agency = await api.World.AddServedAgencyAsync("2026-06-07T18:00:00Z");
        var installment = await api.World.AddInstallmentAsync(agency, null);

        var explained = await ReadAsync(installment);

        Assert.Equal("noDueDate", explained.GetProperty("reason").GetString());
        Assert.Equal(JsonValueKind.Null, explained.GetProperty("dueDate").ValueKind);
        Assert.Equal(JsonValueKind.Null, explained.GetProperty("becomesOverdueAt").ValueKind);
    }

    [Theory]
    [InlineData("11111111-2222-4333-8444-555555555555")]
    [InlineData("no-uuid")]
    public async Task What_is_not_there_is_404(string id)
    {
        using var response = await AgencyApi.GetAsync(api.Reader, $"/api/installments/{id}/explain");

        await ApiAssert.ProblemAsync(response, 404, "installment-not-found");
    }

    private Task<JsonElement> ReadAsync(Guid installment) =>
        AgencyApi.ReadAsync(api.Reader, $"/api/installments/{installment}/explain");
}
