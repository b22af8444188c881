using System.Text.Json;
using Actors.Grains.Interfaces;
using Xunit;

namespace Actors.Tests.Integration.Grains;

/// <summary>A run that somebody asks for, of all agencies or of some, under an id that may be used again.</summary>
public sealed class RunAllTests(GrainWorld world) : IClassFixture<GrainWorld>
{
    [Fact]
    public async Task A_run_of_all_is_one_row_with_who_asked_and_waits_for_what_is_in_flight()
    {
        await world.ClearAsync();
        var agencies = new List<Guid>();
        for (var i = 0; i < 10; i++) agencies.Add(await world.AddServedAgencyAsync("2031-06-10T16:00:00Z"));
        foreach (var agency in agencies) await world.AddInstallmentAsync(agency, "2031-06-10");
        var paused = await world.AddServedAgencyAsync("2031-06-10T16:00:00Z");
        await world.Grain(paused).PauseAsync("Ada", "any");
        world.Clock.Now = GrainWorld.At("2031-06-10T17:00:00Z");
        var request = SomeRequest();

        var reminders = agencies.Select(agency => world.BringUpToDateAsync(agency)).ToList();
        var all = await world.Coordinator.RunAllAsync(request);

        var byReminder = (await Task.WhenAll(reminders)).Sum(result => result.RecordsUpdated);
        Assert.Equal(request.Job, all.Job);
        Assert.Equal(10, byReminder + all.RecordsUpdated);
        Assert.Equal(agencies.Order(), all.Agencies.Select(row => row.Agency.Value).Order());
        Assert.Null(all.Error);
        Assert.Equal($"success {all.RecordsUpdated}", await RowAsync(all.Job));
        var metadata = JsonElement.Parse(
            await world.ReadAsync<string>("SELECT metadata::text FROM jobs_log WHERE id = $1", all.Job.Value));
        Assert.Equal("api, a key, the file was late", string.Join(", ",
            metadata.GetProperty("trigger"), metadata.GetProperty("requested_by"), metadata.GetProperty("reason")));
        Assert.False(metadata.TryGetProperty("agencies_asked", out _));
        foreach (var agency in agencies)
            Assert.StartsWith("2031-06-10 success", (await world.LedgerAsync(agency))[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_of_some_leaves_the_others_alone_and_those_that_are_paused_or_not_there_out()
    {
        await world.ClearAsync();
        var meant = await DueAsync("2031-01-10");
        var other = await DueAsync("2031-01-10");
        var paused = await DueAsync("2031-01-10");
        await world.Grain(paused).PauseAsync("Ada", "any");
        world.Clock.Now = GrainWorld.At("2031-01-10T17:00:00Z");

        var result = await world.Coordinator.RunAllAsync(SomeRequest(meant, paused, Guid.NewGuid(), meant));

        Assert.Equal([new AgencyCount(new AgencyId(meant), 1)], result.Agencies);
        Assert.Empty(result.Failures);
        Assert.Equal("success 1", await RowAsync(result.Job));
        foreach (var agency in new[] { other, paused })
            Assert.Equal(["2031-01-09 success 0"], await world.LedgerAsync(agency));
    }

    [Fact]
    public async Task A_run_of_none_is_a_row_that_says_so()
    {
        var result = await world.Coordinator.RunAllAsync(SomeRequest(agencies: []));

        Assert.Empty(result.Agencies);
        Assert.Null(result.Error);
        Assert.Equal("success 0", await RowAsync(result.Job));
    }

    [Fact]
    public async Task Who_asks_again_with_the_same_id_gets_the_same_answer_and_nothing_is_marked_anew()
    {
        await world.ClearAsync();
        var agency = await DueAsync("2031-02-10");
        world.Clock.Now = GrainWorld.At("2031-02-10T17:00:00Z");
        var request = SomeRequest(agency);
        var first = await world.Coordinator.RunAllAsync(request);
        var later = await world.AddInstallmentAsync(agency, "2031-02-10");

        var again = await world.Coordinator.RunAllAsync(request);

        Assert.Equal(first with { Agencies = again.Agencies, Failures = again.Failures }, again);
        Assert.Equal([new AgencyCount(new AgencyId(agency), 1)], again.Agencies);
        Assert.Equal("pending", await world.StatusOfAsync(later));
        Assert.Equal(1, await world.ReadAsync<long>(
            "SELECT count(*) FROM agency_runs WHERE job_id = $1", request.Job.Value));
    }

    [Fact]
    public async Task Who_asks_while_the_run_is_under_way_shares_its_end()
    {
        await world.ClearAsync();
        var agencies = new List<Guid>();
        for (var i = 0; i < 20; i++) agencies.Add(await DueAsync("2031-03-10"));
        world.Clock.Now = GrainWorld.At("2031-03-10T17:00:00Z");
        var request = SomeRequest();

        var results = await Task.WhenAll(
            Enumerable.Range(0, 5).Select(_ => world.Coordinator.RunAllAsync(request)).ToList());

        Assert.All(results, result => Assert.Equal(20, result.RecordsUpdated));
        Assert.Equal(20, await world.ReadAsync<long>(
            "SELECT count(*) FROM agency_runs WHERE job_id = $1", request.Job.Value));
    }

    [Fact]
    public async Task A_run_that_a_lost_silo_left_open_goes_on_with_the_agencies_it_had_not_reached()
    {
        await world.ClearAsync();
        var reached = await DueAsync("2031-04-10");
        var unreached = await DueAsync("2031-04-10");
        world.Clock.Now = GrainWorld.At("2031-04-10T17:00:00Z");
        var request = SomeRequest(reached, unreached);
        // As a dispatcher leaves it that dies after its first agency.
        await world.ExecuteAsync(
            """
            INSERT INTO jobs_log (id, job_name, started_at, status, metadata)
            VALUES ($1, 'update-installment-statuses', $2, 'running',
              '{"trigger": "api", "requested_by": "a key", "agencies_asked": 2}')
            """, request.Job.Value, world.Clock.Now);
        await world.Grain(reached).BringUpToDateAsync(new RunRequest(RunTrigger.Api, new JobId(Guid.NewGuid())));
        await world.ExecuteAsync(
            "UPDATE agency_runs SET job_id = $1 WHERE agency_id = $2 AND cutoff_date = '2031-04-10'",
            request.Job.Value, reached);

        var result = await world.Coordinator.RunAllAsync(request);

        Assert.Equal(
            new[] { reached, unreached }.Order(), result.Agencies.Select(row => row.Agency.Value).Order());
        Assert.Equal(2, result.RecordsUpdated);
        Assert.Equal("success 2", await RowAsync(request.Job));
        Assert.Equal(2, await world.ReadAsync<long>(
            "SELECT count(*) FROM agency_runs WHERE job_id = $1", request.Job.Value));
    }

    [Fact]
    public async Task An_agency_that_fails_is_named_in_the_answer_and_in_that_of_who_asks_again()
    {
        await world.ClearAsync();
        var good = await DueAsync("2031-05-10");
        var bad = await DueAsync("2031-05-10");
        await world.MoveAsync(bad, "Mars/Olympus");
        world.Clock.Now = GrainWorld.At("2031-05-10T17:00:00Z");
        var request = SomeRequest(good, bad);

        foreach (var result in new[]
        {
            await world.Coordinator.RunAllAsync(request), await world.Coordinator.RunAllAsync(request),
        })
        {
            Assert.Equal([new AgencyCount(new AgencyId(good), 1)], result.Agencies);
            Assert.Equal(bad, Assert.Single(result.Failures).Agency.Value);
            Assert.StartsWith($"1 of 2 agencies failed: {bad}", result.Error, StringComparison.Ordinal);
        }
    }

    private static RunAllRequest SomeRequest() => new(new JobId(Guid.NewGuid()), "a key", "the file was late");

    private static RunAllRequest SomeRequest(params Guid[] agencies) =>
        SomeRequest() with { Agencies = [.. agencies.Select(id => new AgencyId(id))] };

    private async Task<Guid> DueAsync(string date)
    {
        var agency = await world.AddServedAgencyAsync($"{date}T16:00:00Z");
        await world.AddInstallmentAsync(agency, date);
        return agency;
    }

    private Task<string> RowAsync(JobId job) => world.ReadAsync<string>(
        "SELECT concat_ws(' ', status, records_updated, error_message) FROM jobs_log WHERE id = $1", job.Value);
}
