using System.Net;
using Xunit;

namespace Actors.Tests.Integration.Api;

/// <summary>The two triggers, through the whole process: API, grains, marker and database.</summary>
public sealed class TriggerTests(WholeProcess process) : IClassFixture<WholeProcess>
{
    [Fact]
    public async Task A_run_of_one_agency_answers_with_what_it_marked_and_is_recorded_with_who_asked_and_why()
    {
        var agency = await process.AddAgencyAsync();
        using var first = await process.PostAsync($"/api/agencies/{agency}/runs");
        Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        await process.AddDueInstallmentsAsync(agency, 2);

        using var response = await process.PostAsync(
            $"/api/agencies/{agency}/runs", """{"reason":"The file was late"}""");

        var answer = await ApiAssert.JsonAsync(response);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(agency, answer.GetProperty("agencyId").GetGuid());
        Assert.Equal("upToDate", answer.GetProperty("outcome").GetString());
        Assert.Equal(2, answer.GetProperty("recordsUpdated").GetInt32());
        Assert.Equal("""{"pending_to_overdue":2}""", answer.GetProperty("transitions").GetRawText());
        var cutoff = Assert.Single(answer.GetProperty("cutoffs").EnumerateArray());
        Assert.False(cutoff.GetProperty("servesCutoff").GetBoolean());
        Assert.Equal(2, cutoff.GetProperty("recordsUpdated").GetInt32());
        Assert.EndsWith("Z", answer.GetProperty("nextCutoffAt").GetString(), StringComparison.Ordinal);
        Assert.Equal(
            $"api, {WholeProcess.KeyName}, The file was late, 2",
            await process.ReadAsync<string>(
                "SELECT concat_ws(', ', trigger, requested_by, reason, records_updated) FROM agency_runs "
                + "WHERE job_id = $1",
                answer.GetProperty("jobId").GetGuid()));
    }

    [Fact]
    public async Task An_agency_that_is_not_there_is_404()
    {
        using var response = await process.PostAsync($"/api/agencies/{Guid.NewGuid()}/runs");

        await ApiAssert.ProblemAsync(response, 404, "agency-not-found");
    }

    [Fact]
    public async Task A_paused_agency_is_409()
    {
        var agency = await process.AddAgencyAsync();
        using var first = await process.PostAsync($"/api/agencies/{agency}/runs");
        await process.ReadAsync<Guid>(
            "UPDATE agency_cutoffs SET paused_at = now() WHERE agency_id = $1 RETURNING agency_id", agency);

        using var response = await process.PostAsync($"/api/agencies/{agency}/runs");

        await ApiAssert.ProblemAsync(response, 409, "agency-paused");
    }

    [Fact]
    public async Task A_run_of_all_answers_in_the_originals_words_with_every_agency()
    {
        var agency = await process.AddAgencyAsync();
        using var first = await process.PostAsync($"/api/agencies/{agency}/runs");
        await process.AddDueInstallmentsAsync(agency, 3);

        using var response = await process.PostAsync(ApiHost.AllAgencies, "{}");

        var answer = await ApiAssert.JsonAsync(response);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(["success", "recordsUpdated", "agencies"], answer.EnumerateObject().Select(part => part.Name));
        var agencies = answer.GetProperty("agencies").EnumerateArray().ToList();
        Assert.Equal(
            answer.GetProperty("recordsUpdated").GetInt32(),
            agencies.Sum(row => row.GetProperty("updated_count").GetInt32()));
        Assert.Equal(
            $$$"""{"agency_id":"{{{agency}}}","updated_count":3,"transitions":{"pending_to_overdue":3}}""",
            agencies.Single(row => row.GetProperty("agency_id").GetGuid() == agency).GetRawText());
    }

    [Fact]
    public async Task The_whole_process_is_ready()
    {
        using var response = await process.Http.GetAsync(
            new Uri("/health/ready", UriKind.Relative), TestContext.Current.CancellationToken);

        var answer = await ApiAssert.JsonAsync(response);
        Assert.Equal("ready", answer.GetProperty("status").GetString());
        Assert.Equal(
            ["callers", "clock", "database", "schema", "silo", "writes"],
            answer.GetProperty("checks").EnumerateArray().Select(check => check.GetProperty("name").GetString()));
    }
}
