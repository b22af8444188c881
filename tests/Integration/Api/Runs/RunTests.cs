using System.Net;
using System.Text.Json;
using Actors.Tests.Support;
using Xunit;

namespace Actors.Tests.Integration.Api.Runs;

/// <summary>Runs that somebody asks for: of one agency, of some, of all; answered at once or later.</summary>
public sealed class RunTests(RunsWorld world) : IClassFixture<RunsWorld>
{
    [Fact]
    public async Task A_run_of_all_answers_with_counts_and_with_who_marked_something()
    {
        var (marked, idle) = (await world.AgencyAsync(due: 3), await world.AgencyAsync());
        var key = await world.KeyAsync();

        using var response = await world.Patient.RunAsync("/api/runs", key, """{"reason":"The file was late"}""");

        var answer = await ApiAssert.JsonAsync(response);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("succeeded", answer.GetProperty("status").GetString());
        Assert.Equal(JsonValueKind.Null, answer.GetProperty("agenciesLeftOut").ValueKind);
        Assert.Contains(marked, Agencies(answer));
        Assert.DoesNotContain(idle, Agencies(answer));
        Assert.True(answer.GetProperty("agenciesUpToDate").GetInt32() >= 2);
        Assert.Equal(
            "success, The file was late",
            await world.ReadAsync<string>(
                "SELECT concat_ws(', ', status, metadata ->> 'reason') FROM jobs_log WHERE id = $1",
                answer.GetProperty("jobId").GetGuid()));
    }

    [Fact]
    public async Task A_filter_runs_those_that_fit_all_of_it_and_tells_who_was_left_out()
    {
        var name = $"Harbour {Guid.NewGuid():N}";
        var chosen = await world.AgencyAsync(due: 2, name: $"{name} North", zone: "Asia/Tokyo");
        var paused = await world.AgencyAsync(due: 2, name: $"{name} West", zone: "Asia/Tokyo");
        var elsewhere = await world.AgencyAsync(due: 2, name: $"{name} South");
        await PauseAsync(paused);

        using var response = await world.Patient.RunAsync(
            "/api/runs", await world.KeyAsync("read trigger"),
            JsonSerializer.Serialize(new
            {
                filter = new { search = name.ToUpperInvariant(), timezone = "Asia/Tokyo" },
            }));

        var answer = await ApiAssert.JsonAsync(response);
        Assert.Equal([chosen], Agencies(answer));
        Assert.Equal(2, answer.GetProperty("recordsUpdated").GetInt32());
        Assert.Equal(1, answer.GetProperty("agenciesLeftOut").GetInt32());
        Assert.Equal("", await world.LedgerAsync(elsewhere));
    }

    [Theory]
    [InlineData("onTime", 0)]
    [InlineData("late", 1)]
    [InlineData("failed", 2)]
    public async Task A_state_selects_the_agencies_that_are_in_it(string state, int expected)
    {
        var agencies = new[] { await world.AgencyAsync(1), await world.AgencyAsync(1), await world.AgencyAsync(1) };
        await world.ExecuteAsync(
            """
            UPDATE agency_cutoffs SET next_cutoff_at = now() - interval '1 minute', settings_changed_at = '2020-01-01',
              failed_attempts = CASE WHEN agency_id = $2 THEN 1 ELSE 0 END, set_aside_until = now() + interval '1 hour'
            WHERE agency_id IN ($1, $2)
            """, agencies[1], agencies[2]);

        using var response = await world.Patient.RunAsync(
            "/api/runs", await world.KeyAsync("admin"),
            JsonSerializer.Serialize(new { filter = new { state, agencyIds = agencies } }));

        Assert.Equal([agencies[expected]], Agencies(await ApiAssert.JsonAsync(response)));
    }

    [Fact]
    public async Task Agencies_that_are_not_there_are_named_and_nothing_is_run()
    {
        var (agency, unknown) = (await world.AgencyAsync(due: 1), Guid.NewGuid());

        using var response = await world.Patient.RunAsync(
            "/api/runs", await world.KeyAsync("admin"),
            JsonSerializer.Serialize(new { filter = new { agencyIds = new[] { agency, unknown } } }));

        var problem = await ApiAssert.ProblemAsync(response, 422, "unknown-agencies");
        Assert.Equal(
            unknown, Assert.Single(problem.GetProperty("agencyIds").EnumerateArray().ToList()).GetGuid());
        Assert.Equal("", await world.LedgerAsync(agency));
    }

    [Theory]
    [InlineData("""{"filter":{"agencyIds":[]}}""")]
    [InlineData("""{"filter":{"timezone":"Mars/Olympus_Mons"}}""")]
    [InlineData("""{"filter":{"search":"%"}}""")]
    [InlineData("""{"filter":{"search":"' OR true --"}}""")]
    public async Task A_filter_that_selects_nobody_is_422_and_says_so(string body)
    {
        using var response = await world.Patient.RunAsync("/api/runs", await world.KeyAsync("admin"), body);

        var problem = await ApiAssert.ProblemAsync(response, 422, "nothing-selected");
        Assert.Contains("selects no agency", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_filter_that_selects_only_paused_ones_is_422_and_says_so()
    {
        var paused = await world.AgencyAsync(due: 1);
        await PauseAsync(paused);

        using var response = await world.Patient.RunAsync(
            "/api/runs", await world.KeyAsync("admin"),
            JsonSerializer.Serialize(new { filter = new { agencyIds = new[] { paused } } }));

        var problem = await ApiAssert.ProblemAsync(response, 422, "nothing-selected");
        Assert.Contains("is paused", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_that_may_only_trigger_cannot_select()
    {
        using var response = await world.Patient.RunAsync(
            "/api/runs", await world.KeyAsync(), """{"filter":{"timezone":"UTC"}}""");

        await ApiAssert.ProblemAsync(response, 403, "scope-missing");
    }

    [Theory]
    [InlineData("""{"filter":{"agencyIds":["x"]}}""", "filter.agencyIds[0]")]
    [InlineData("""{"filter":{"agencyIds":[null]}}""", "filter.agencyIds[0]")]
    [InlineData("""{"filter":{"state":"paused"}}""", "filter.state")]
    [InlineData("""{"filter":{"search":""}}""", "filter.search")]
    [InlineData("""{"filter":{"agencyIds":"x"}}""", "filter.agencyIds")]
    [InlineData("""{"filter":{"states":["late"]}}""", "filter.states")]
    [InlineData("""{"filter":7}""", "filter")]
    [InlineData("""{"reason":"a\u0000b"}""", "reason")]
    public async Task A_body_that_is_not_as_it_should_be_is_400_by_name(string body, string name)
    {
        using var response = await world.Patient.RunAsync("/api/runs", await world.KeyAsync("admin"), body);

        var problem = await ApiAssert.ProblemAsync(response, 400, "invalid-body");
        Assert.Equal([name], problem.GetProperty("errors").EnumerateObject().Select(error => error.Name));
    }

    [Fact]
    public async Task A_body_of_another_shape_is_400()
    {
        using var response = await world.Patient.RunAsync("/api/runs", await world.KeyAsync("admin"), "[]");

        await ApiAssert.ProblemAsync(response, 400, "malformed-body");
    }

    [Fact]
    public async Task A_run_that_takes_longer_is_202_and_found_at_its_location_until_it_has_its_answer()
    {
        var agency = await world.AgencyAsync(due: 2);
        var key = await world.KeyAsync();
        string location;
        await using (await world.HoldAsync(agency))
        {
            using var accepted = await world.Hasty.RunAsync(
                $"/api/agencies/{agency}/runs", key, """{"reason":"why"}""");
            Assert.Equal(HttpStatusCode.Accepted, accepted.StatusCode);
            location = accepted.Headers.Location!.ToString();
            var known = await ApiAssert.JsonAsync(accepted);
            Assert.Equal($"/api/runs/{known.GetProperty("id").GetGuid()}", location);
            Assert.Equal("running", known.GetProperty("status").GetString());
            Assert.Equal("why", known.GetProperty("reason").GetString());
            Assert.Equal("running", await StatusAsync(location, key));
        }

        await Eventually.HoldsAsync("the run succeeded", async () => await StatusAsync(location, key) == "succeeded");
        using var done = await world.Patient.GetAsync(location, key);
        var run = await ApiAssert.JsonAsync(done);
        Assert.Equal(2, run.GetProperty("recordsUpdated").GetInt32());
        Assert.Equal(200, run.GetProperty("answer").GetProperty("status").GetInt32());
        var body = run.GetProperty("answer").GetProperty("body");
        Assert.Equal("upToDate", body.GetProperty("outcome").GetString());
        Assert.Equal($"/api/runs/{body.GetProperty("jobId").GetGuid()}", location);
        // The log is not open to this key; to one that may read, the address is told.
        Assert.Equal(JsonValueKind.Null, run.GetProperty("job").ValueKind);
        using var read = await world.Patient.GetAsync(location, await world.KeyAsync("read"));
        Assert.Equal(
            $"/api/jobs/{body.GetProperty("jobId").GetGuid()}",
            (await ApiAssert.JsonAsync(read)).GetProperty("job").GetString());
        Assert.Equal("2", await world.LedgerAsync(agency));
    }

    [Fact]
    public async Task A_run_of_an_agency_with_an_unknown_zone_is_409_and_has_failed()
    {
        var agency = await world.AgencyAsync();
        await world.ExecuteAsync(
            "INSERT INTO supported_timezones (name) VALUES ('Mars/Olympus_Mons') ON CONFLICT DO NOTHING");
        await world.ExecuteAsync("UPDATE agencies SET timezone = 'Mars/Olympus_Mons' WHERE id = $1", agency);
        var key = await world.KeyAsync();

        using var response = await world.Patient.RunAsync($"/api/agencies/{agency}/runs", key);

        var problem = await ApiAssert.ProblemAsync(response, 409, "agency-run-failed");
        using var found = await world.Patient.GetAsync($"/api/runs/{problem.GetProperty("jobId").GetGuid()}", key);
        var run = await ApiAssert.JsonAsync(found);
        Assert.Equal("failed", run.GetProperty("status").GetString());
        Assert.Contains("Mars/Olympus_Mons", run.GetProperty("error").GetString(), StringComparison.Ordinal);
        Assert.Equal(409, run.GetProperty("answer").GetProperty("status").GetInt32());
        await world.ExecuteAsync("UPDATE agencies SET timezone = 'UTC' WHERE id = $1", agency);
    }

    [Fact]
    public async Task A_trigger_key_finds_its_own_runs_and_those_of_its_name_a_reader_finds_all()
    {
        var agency = await world.AgencyAsync();
        var name = $"nightly {Guid.NewGuid():N}";
        var key = await world.KeyAsync(name: name);
        using var response = await world.Patient.RunAsync($"/api/agencies/{agency}/runs", key);
        var path = $"/api/runs/{(await ApiAssert.JsonAsync(response)).GetProperty("jobId").GetGuid()}";

        foreach (var friend in new[] { key, await world.KeyAsync(name: name), await world.KeyAsync("read") })
            Assert.Equal("succeeded", await StatusAsync(path, friend));
        using var strange = await world.Patient.GetAsync(path, await world.KeyAsync());
        using var unknown = await world.Patient.GetAsync($"/api/runs/{Guid.NewGuid()}", key);
        using var none = await world.Patient.GetAsync("/api/runs/last", key);
        foreach (var missing in new[] { strange, unknown, none })
            await ApiAssert.ProblemAsync(missing, 404, "run-not-found");
    }

    [Fact]
    public async Task Twenty_at_once_for_one_agency_come_one_after_the_other_and_mark_each_installment_once()
    {
        var agency = await world.AgencyAsync(due: 50);
        var key = await world.KeyAsync();

        var responses = await Task.WhenAll(Enumerable.Range(0, 20).Select(number => (number % 2 == 0
            ? world.Patient
            : world.Hasty).RunAsync($"/api/agencies/{agency}/runs", key)));

        Assert.All(responses, response => Assert.Contains(
            response.StatusCode, new[] { HttpStatusCode.OK, HttpStatusCode.Accepted }));
        await Eventually.HoldsAsync("all twenty runs ended", async () => await world.ReadAsync<long>(
            "SELECT count(*) FROM agency_runs WHERE agency_id = $1 AND trigger = 'api'", agency) == 20);
        Assert.Equal("50" + string.Concat(Enumerable.Repeat(", 0", 19)), await world.LedgerAsync(agency));
        Assert.Equal(
            50,
            await world.ReadAsync<long>(
                """
                SELECT count(DISTINCT i.id) FROM agency_runs AS r, unnest(r.installment_ids) AS marked (id)
                JOIN installments AS i ON i.id = marked.id AND i.status = 'overdue'
                WHERE r.agency_id = $1
                """, agency));
        foreach (var response in responses) response.Dispose();
    }

    private Task PauseAsync(Guid agency) =>
        world.ExecuteAsync("UPDATE agency_cutoffs SET paused_at = now() WHERE agency_id = $1", agency);

    private async Task<string?> StatusAsync(string path, Actors.Api.Access.ApiKey key)
    {
        using var response = await world.Patient.GetAsync(path, key);
        return (await ApiAssert.JsonAsync(response)).GetProperty("status").GetString();
    }

    private static List<Guid> Agencies(JsonElement answer) =>
        [.. answer.GetProperty("agencies").EnumerateArray().Select(one => one.GetProperty("agencyId").GetGuid())];
}
