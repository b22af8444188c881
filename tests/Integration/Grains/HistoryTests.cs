using Actors.Grains;
using Actors.Grains.Cutoffs;
using Actors.Grains.Interfaces;
using Actors.Grains.Jobs;
using Actors.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;
using Xunit;

namespace Actors.Tests.Integration.Grains;

/// <summary>Ledger, runs and resolved alerts are kept for 400 days, and what somebody still needs for longer.</summary>
public sealed class HistoryTests(GrainWorld world) : IClassFixture<GrainWorld>
{
    private HistoryStore History => world.Silo.Services.GetRequiredService<HistoryStore>();

    [Fact]
    public async Task What_is_older_than_the_retention_goes_with_its_runs_and_its_undos()
    {
        await world.ClearAsync();
        var agency = await world.AddServedAgencyAsync("2029-01-09T17:00:00Z");
        await world.AddInstallmentAsync(agency, "2029-01-10");
        world.Clock.Now = GrainWorld.At("2029-01-10T17:00:00Z");
        await world.BringUpToDateAsync(agency);
        var run = await world.ReadAsync<Guid>(
            "SELECT id FROM agency_runs WHERE agency_id = $1 AND records_updated = 1", agency);
        Assert.Equal(UndoOutcome.Undone, (await world.Grain(agency).UndoRunAsync(run, "Ada", "any")).Outcome);
        world.Clock.Now = GrainWorld.At("2029-01-20T17:00:00Z");
        await world.BringUpToDateAsync(agency);
        await world.Coordinator.SweepAsync();

        // 400 days after the second date: what was served at its instant is not older than that, the first one is.
        world.Clock.Now = GrainWorld.At("2029-01-10T17:00:00Z") + Duration.FromDays(400);
        await History.DeleteOldAsync(CancellationToken.None);
        Assert.Equal("2029-01-10 success 1", (await world.LedgerAsync(agency))[0]);
        world.Clock.Now += Duration.FromSeconds(1);
        await History.DeleteOldAsync(CancellationToken.None);

        Assert.Equal(10, (await world.LedgerAsync(agency)).Count);
        Assert.Equal("2029-01-11 success 1", (await world.LedgerAsync(agency))[0]);
        Assert.Empty(await world.ListAsync<Guid>("SELECT agency_run_id FROM agency_run_undos"));
        Assert.Equal(0, await world.ReadAsync<long>("SELECT count(*) FROM jobs_log WHERE started_at < '2029-01-11'"));
        Assert.NotEmpty(await world.ChangesAsync(agency));
    }

    [Fact]
    public async Task The_newest_row_of_an_agency_stays_however_old_it_is_and_that_of_a_deleted_one_goes()
    {
        await world.ClearAsync();
        var paused = await world.AddServedAgencyAsync("2027-02-09T17:00:00Z");
        var deleted = await world.AddServedAgencyAsync("2027-02-09T17:00:00Z");
        world.Clock.Now = GrainWorld.At("2027-02-10T17:00:00Z");
        foreach (var agency in new[] { paused, deleted }) await world.BringUpToDateAsync(agency);
        await world.Coordinator.SweepAsync();
        await world.Grain(paused).PauseAsync("Ada", "any");
        await world.ExecuteAsync("DELETE FROM agencies WHERE id = $1", deleted);
        var newest = await JobsOfAsync(paused, "cutoff_date IS NULL OR cutoff_date = '2027-02-10'");
        var older = (await JobsOfAsync(paused)).Union(await JobsOfAsync(deleted)).Except(newest);
        Assert.NotEmpty(older);
        world.Clock.Now = GrainWorld.At("2029-02-10T17:00:00Z");

        await History.DeleteOldAsync(CancellationToken.None);

        Assert.Equal(["2027-02-10 success 0"], await world.LedgerAsync(paused));
        Assert.Empty(await world.LedgerAsync(deleted));
        var kept = await world.ListAsync<Guid>("SELECT id FROM jobs_log");
        Assert.Subset(kept.ToHashSet(), newest.ToHashSet());
        Assert.Empty(kept.Intersect(older));
        await world.Grain(paused).ResumeAsync("Ada", "any", ResumeMode.Skip);
        Assert.Equal("2027-02-11 skipped 0", (await world.LedgerAsync(paused))[1]);
    }

    [Theory]
    [InlineData("an open run", "UPDATE jobs_log SET status = 'running', completed_at = NULL WHERE id = $1", true)]
    [InlineData("another program's run", "UPDATE jobs_log SET metadata = '{}' WHERE id = $1", true)]
    [InlineData("another job", "UPDATE jobs_log SET job_name = 'send-reminders' WHERE id = $1", true)]
    [InlineData("an open alert", AlertOnJob + "NULL)", true)]
    [InlineData("a resolved alert", AlertOnJob + "'2026-01-02')", false)]
    [InlineData("nothing", "SELECT $1::uuid", false)]
    public async Task What_somebody_still_needs_stays(string what, string need, bool stays)
    {
        await world.ClearAsync();
        await world.ExecuteAsync("DELETE FROM jobs_log; DELETE FROM agency_runs");
        var job = await OldRunAsync(rows: 3);
        await world.ExecuteAsync(need, job);
        world.Clock.Now = GrainWorld.At("2028-01-01T00:00:00Z");

        await History.DeleteOldAsync(CancellationToken.None);

        var isThere = await world.ReadAsync<bool>("SELECT EXISTS (SELECT FROM jobs_log WHERE id = $1)", job);
        Assert.True(stays == isThere, what);
        Assert.Equal(stays ? 3 : 0, await world.ReadAsync<long>("SELECT count(*) FROM agency_runs"));
        Assert.Equal(0, await world.ReadAsync<long>("SELECT count(*) FROM alerts WHERE resolved_at IS NOT NULL"));
    }

    private const string AlertOnJob =
        """
        INSERT INTO alerts (kind, severity, dedup_key, job_id, message, raised_at, resolved_at)
        VALUES ('run_failed', 'critical', 'any', $1, 'any', '2026-01-01', 
        """;

    [Fact]
    public async Task Many_rows_go_in_bounded_statements()
    {
        await world.ClearAsync();
        await world.ExecuteAsync("DELETE FROM jobs_log; DELETE FROM agency_runs");
        await OldRunAsync(rows: (2 * HistoryStore.RowsPerStatement) + 1);
        world.Clock.Now = GrainWorld.At("2028-01-01T00:00:00Z");

        Assert.Equal(
            (2 * HistoryStore.RowsPerStatement) + 2, await History.DeleteOldAsync(CancellationToken.None));
        Assert.Equal(0, await History.DeleteOldAsync(CancellationToken.None));
    }

    [Fact]
    public async Task Without_a_retention_everything_stays()
    {
        await OldRunAsync(rows: 1);
        world.Clock.Now = GrainWorld.At("2028-01-01T00:00:00Z");
        await using var pool = GrainDatabase.Connect(world.SiloConnectionString);
        var history = new HistoryStore(
            new GrainDatabase(pool, DatabaseClock.ReplacedBy(world.Clock)), new GrainOptions { Retention = null });

        Assert.Equal(0, await history.DeleteOldAsync(CancellationToken.None));
    }

    [Fact]
    public async Task The_coordinator_looks_for_what_is_too_old_a_minute_after_its_start_and_then_every_hour()
    {
        world.Clock.Now = GrainWorld.At("2028-01-01T00:00:00Z");
        foreach (var pause in new[] { TimeSpan.FromMinutes(1), TimeSpan.FromHours(1) })
        {
            var job = await OldRunAsync(rows: 1);
            // It sets its timer when it starts, and again when it has looked.
            await Eventually.HoldsAsync("the next look is due", () => Task.FromResult(world.Pauses.WasSetFor(pause)));
            world.Pauses.Advance(pause);
            await Eventually.HoldsAsync("the old run is gone", async () =>
                !await world.ReadAsync<bool>("SELECT EXISTS (SELECT FROM jobs_log WHERE id = $1)", job));
        }
    }

    /// <summary>The jobs with runs of an agency, all or some of them.</summary>
    private Task<List<Guid>> JobsOfAsync(Guid agency, string which = "true") => world.ListAsync<Guid>(
        $"SELECT DISTINCT job_id FROM agency_runs WHERE agency_id = $1 AND {which}", agency);

    /// <summary>A run of 2026 over agencies that are gone.</summary>
    private Task<Guid> OldRunAsync(int rows) => world.ReadAsync<Guid>(
        """
        WITH job AS (
          INSERT INTO jobs_log (job_name, started_at, completed_at, status, metadata)
          VALUES ('update-installment-statuses', '2026-01-01', '2026-01-01', 'success', '{"trigger": "reminder"}')
          RETURNING id
        ), ledger AS (
          INSERT INTO agency_runs (job_id, agency_id, cutoff_date, cutoff_at, serves_cutoff, trigger, started_at,
            completed_at, status, timezone, overdue_cutoff_time, resolution, tzdb_version)
          SELECT id, gen_random_uuid(), '2026-01-01', '2026-01-01', true, 'reminder', '2026-01-01', '2026-01-01',
            'success', 'UTC', '17:00', 'once', 'any'
          FROM job, generate_series(1, $1)
        )
        SELECT id FROM job
        """, rows);
}
