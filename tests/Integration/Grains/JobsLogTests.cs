using System.Text.Json;
using Actors.Grains.Interfaces;
using Actors.Grains.Jobs;
using NodaTime;
using Xunit;

namespace Actors.Tests.Integration.Grains;

/// <summary>Each run is one row of `jobs_log`, closed once, with the truth.</summary>
public sealed class JobsLogTests(GrainWorld world) : IClassFixture<GrainWorld>
{
    [Fact]
    public async Task Agencies_with_one_cutoff_instant_share_one_row_that_is_closed_when_all_are_served()
    {
        await world.ClearAsync();
        var utc = await world.AddServedAgencyAsync("2031-01-10T16:00:00Z");
        // 17:00 UTC there too: one instant, one row.
        var brisbane = await world.AddServedAgencyAsync("2031-01-10T16:00:00Z", "Australia/Brisbane", "03:00");
        var idle = await world.AddServedAgencyAsync("2031-01-10T16:00:00Z");
        for (var i = 0; i < 3; i++) await world.AddInstallmentAsync(utc, "2031-01-10");
        await world.AddInstallmentAsync(brisbane, "2031-01-11");
        world.Clock.Now = GrainWorld.At("2031-01-10T17:00:00Z");

        var job = (await world.BringUpToDateAsync(utc)).Job!.Value.Value;
        await world.Coordinator.JobMayBeDoneAsync(new JobId(job));
        await world.BringUpToDateAsync(brisbane);
        Assert.Equal("running", await world.ReadAsync<string>("SELECT status FROM jobs_log WHERE id = $1", job));
        await world.BringUpToDateAsync(idle);

        Assert.Equal("success", await world.StatusOfClosedAsync(job));
        Assert.Equal(JobIds.ForCutoff(JobNames.UpdateInstallmentStatuses, world.Clock.Now).Value, job);
        Assert.Equal(4, await world.ReadAsync<int>("SELECT records_updated FROM jobs_log WHERE id = $1", job));
        var metadata = await MetadataAsync(job);
        Assert.Equal("reminder", metadata.GetProperty("trigger").GetString());
        Assert.Equal(3, metadata.GetProperty("agencies_total").GetInt32());
        Assert.Equal(2, metadata.GetProperty("agencies_marked").GetInt32());
        Assert.False(metadata.TryGetProperty("agencies_truncated", out _));
        Assert.Equal(
            new[] { (utc, 3), (brisbane, 1) }.OrderBy(row => row.Item1.ToString()),
            metadata.GetProperty("agencies").EnumerateArray().Select(row => (
                row.GetProperty("agency_id").GetGuid(),
                row.GetProperty("transitions").GetProperty("pending_to_overdue").GetInt32())));
    }

    [Fact]
    public async Task Of_1100_agencies_1000_are_listed_and_the_row_says_that_it_is_cut()
    {
        await world.ClearAsync();
        world.Clock.Now = GrainWorld.At("2031-02-10T17:00:30Z");
        await world.ExecuteAsync(
            """
            WITH a AS (
              INSERT INTO agencies (name, timezone) SELECT 'many', 'UTC' FROM generate_series(1, 1100) RETURNING id
            ), p AS (INSERT INTO payment_plans (agency_id) SELECT id FROM a RETURNING id)
            INSERT INTO installments (payment_plan_id, student_due_date) SELECT id, '2031-02-01' FROM p
            """);

        var swept = await world.Coordinator.SweepAsync();

        Assert.Equal((1_100, 1_100), (swept.AgenciesFound, swept.AgenciesBroughtUpToDate));
        var job = JobIds.ForCatchUp(JobNames.UpdateInstallmentStatuses, swept.At).Value;
        Assert.Equal("success", await world.StatusOfClosedAsync(job));
        var metadata = await MetadataAsync(job);
        Assert.Equal(1_000, metadata.GetProperty("agencies").GetArrayLength());
        Assert.True(metadata.GetProperty("agencies_truncated").GetBoolean());
        Assert.Equal(1_100, metadata.GetProperty("agencies_total").GetInt32());
        Assert.Equal(1_100, await world.ReadAsync<int>("SELECT records_updated FROM jobs_log WHERE id = $1", job));
        Assert.Equal(1_100, await world.ReadAsync<long>(
            "SELECT count(*) FROM orleans.reminders r JOIN agency_cutoffs c "
            + "ON r.grain_id = 'agency/' || replace(c.agency_id::text, '-', '')"));
    }

    [Fact]
    public async Task At_its_limit_a_run_is_closed_as_failed_naming_who_is_left_and_is_never_reopened()
    {
        await world.ClearAsync();
        var served = await world.AddServedAgencyAsync("2031-03-10T16:00:00Z");
        var stuck = await world.AddServedAgencyAsync("2031-03-10T16:00:00Z");
        var installment = await world.AddInstallmentAsync(stuck, "2031-03-10");
        world.Clock.Now = GrainWorld.At("2031-03-10T17:00:00Z");
        var job = (await world.BringUpToDateAsync(served)).Job!.Value.Value;
        // Somebody holds the agency, so that neither reminder nor sweep can serve it.
        await using var hold = await HeldLock.OnAgencyAsync(world.Owner, stuck);

        world.Clock.Now += Duration.FromMinutes(10);
        Assert.Equal(1, (await world.Coordinator.SweepAsync()).AgenciesFailed);
        Assert.Equal("failed", await world.StatusOfClosedAsync(job));
        var closed = await RowAsync(job);
        Assert.Contains(
            $"1 of 2 agencies were not served within 10 minutes: {stuck}", closed, StringComparison.Ordinal);
        Assert.Equal(1, await world.OpenAlertsAsync($"run_stuck:{job}"));

        await hold.ReleaseAsync();
        world.Clock.Now += Duration.FromSeconds(1);
        var later = await world.BringUpToDateAsync(stuck);
        Assert.Equal(1, later.RecordsUpdated);
        Assert.Equal("overdue", await world.StatusOfAsync(installment));
        Assert.NotEqual(job, later.Job!.Value.Value);
        Assert.Equal(closed, await RowAsync(job));
        Assert.Equal("catch_up", (await MetadataAsync(later.Job!.Value.Value)).GetProperty("trigger").GetString());
        world.Clock.Now += Duration.FromSeconds(1);
        await world.Coordinator.SweepAsync();
        Assert.Equal(0, await world.OpenAlertsAsync($"run_stuck:{job}"));
    }

    [Fact]
    public async Task What_comes_within_the_limit_but_finds_its_run_closed_goes_to_a_catch_up()
    {
        await world.ClearAsync();
        var first = await world.AddServedAgencyAsync("2031-04-10T16:00:00Z");
        world.Clock.Now = GrainWorld.At("2031-04-10T17:00:00Z");
        var job = (await world.BringUpToDateAsync(first)).Job!.Value.Value;
        Assert.Equal("success", await world.StatusOfClosedAsync(job));
        var closed = await RowAsync(job);
        var second = await world.AddServedAgencyAsync("2031-04-10T16:00:00Z");
        world.Clock.Now = GrainWorld.At("2031-04-10T17:00:05Z");

        var later = await world.BringUpToDateAsync(second);

        Assert.Equal(AgencyRunOutcome.UpToDate, later.Outcome);
        Assert.NotEqual(job, later.Job!.Value.Value);
        Assert.Equal(closed, await RowAsync(job));
    }

    [Fact]
    public async Task Defect_7_a_row_that_a_dead_process_left_running_is_closed_by_the_sweep_with_the_truth()
    {
        await world.ClearAsync();
        var agency = await world.AddServedAgencyAsync("2031-05-10T17:00:00Z");
        var job = Guid.NewGuid();
        await world.ExecuteAsync(
            """
            INSERT INTO jobs_log (id, job_name, started_at, status, metadata)
            VALUES ($1, 'update-installment-statuses', $2, 'running', '{"trigger": "api", "requested_by": "a key"}')
            """, job, world.Clock.Now);
        await world.ExecuteAsync("UPDATE agency_runs SET job_id = $1 WHERE agency_id = $2", job, agency);
        await world.ExecuteAsync(
            """
            UPDATE agency_runs SET records_updated = 2, installment_ids = ARRAY[gen_random_uuid(), gen_random_uuid()]
            WHERE job_id = $1
            """, job);
        world.Clock.Now += Duration.FromSeconds(1);

        // Rows that other tests of this database left open may be closed with it.
        Assert.NotEqual(0, (await world.Coordinator.SweepAsync()).JobsClosed);

        Assert.Equal("success 2", await RowAsync(job));
        Assert.Equal("a key", (await MetadataAsync(job)).GetProperty("requested_by").GetString());
    }

    [Fact]
    public async Task Every_wave_of_a_run_that_somebody_asked_for_stands_under_its_own_row()
    {
        await world.ClearAsync();
        var agency = await world.AddServedAgencyAsync("2031-07-01T17:00:00Z");
        world.Clock.Now = GrainWorld.At("2031-07-25T17:30:00Z");

        var result = await world.BringUpToDateAsync(agency, RunTrigger.Api);

        Assert.Equal(24, result.Served.Count);
        Assert.Equal("success", await world.StatusOfClosedAsync(result.Job!.Value.Value));
        Assert.Equal(24, await world.ReadAsync<long>(
            "SELECT count(*) FROM agency_runs WHERE job_id = $1", result.Job!.Value.Value));
    }

    [Fact]
    public async Task A_failed_run_that_somebody_asked_for_is_closed_without_waiting_for_a_sweep()
    {
        await world.ClearAsync();
        var agency = await world.AddServedAgencyAsync("2031-08-01T17:00:00Z");
        await world.MoveAsync(agency, "Mars/Olympus");

        var result = await world.BringUpToDateAsync(agency, RunTrigger.Api);

        Assert.Equal(AgencyRunOutcome.Failed, result.Outcome);
        Assert.Equal("failed", await world.StatusOfClosedAsync(result.Job!.Value.Value));
    }

    private Task<string> RowAsync(Guid job) => world.ReadAsync<string>(
        "SELECT concat_ws(' ', status, records_updated, error_message) FROM jobs_log WHERE id = $1", job);

    private async Task<JsonElement> MetadataAsync(Guid job) => JsonElement.Parse(
        await world.ReadAsync<string>("SELECT metadata::text FROM jobs_log WHERE id = $1", job));
}
