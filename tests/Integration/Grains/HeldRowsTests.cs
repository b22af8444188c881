using Actors.Grains.Interfaces;
using Actors.Tests.Support;
using NodaTime;
using Xunit;

namespace Actors.Tests.Integration.Grains;

/// <summary>What other programs hold in the database for long costs nobody more than it must.</summary>
public sealed class HeldRowsTests(GrainWorld world) : IClassFixture<GrainWorld>
{
    [Theory]
    [InlineData("2031-05-05", false)]
    [InlineData("2031-05-06", true)]
    public async Task While_a_table_is_held_or_waited_for_nobody_is_set_aside_and_then_all_are_served(
        string date, bool isWaitedFor)
    {
        await world.ClearAsync();
        var agencies = new List<Guid>();
        for (var i = 0; i < 3; i++) agencies.Add(await world.AddServedAgencyAsync($"{date}T16:00:00Z"));
        var due = await world.AddInstallmentAsync(agencies[0], date);
        world.Clock.Now = GrainWorld.At($"{date}T17:00:00Z");
        AgencyRunResult[] results;
        await using (var reading = await HoldAsync("LOCK TABLE installments IN ACCESS SHARE MODE"))
        {
            // Whoever alters it waits for the reader, and who makes an index does not.
            var altering = HoldAsync($"LOCK TABLE installments IN {(isWaitedFor ? "ACCESS EXCLUSIVE" : "SHARE")} MODE");
            await Eventually.HoldsAsync("somebody has the table or waits for it", () => world.ReadAsync<bool>(
                """
                SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'installments'::regclass
                  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                  AND mode IN ('AccessExclusiveLock', 'ShareLock'))
                """));

            results = await Task.WhenAll(agencies.Select(agency => world.BringUpToDateAsync(agency)));
            world.Clock.Now += Duration.FromSeconds(11);
            Assert.Equal(3, (await world.Coordinator.SweepAsync()).AgenciesFailed);

            await reading.ReleaseAsync();
            await (await altering).DisposeAsync();
        }

        Assert.All(results, result =>
        {
            Assert.Equal((AgencyRunOutcome.Failed, null), (result.Outcome, result.Job));
            Assert.StartsWith(
                "table installments is locked by another session (", result.Error!, StringComparison.Ordinal);
        });
        Assert.Equal(0, await world.ReadAsync<long>(
            "SELECT count(*) FROM agency_cutoffs WHERE set_aside_until IS NOT NULL OR failed_attempts > 0"));
        Assert.Equal(["cutoff_late false"], await AlertsAsync());

        world.Clock.Now += Duration.FromSeconds(9);
        Assert.Equal(3, (await world.Coordinator.SweepAsync()).AgenciesBroughtUpToDate);
        Assert.Equal("overdue", await world.StatusOfAsync(due));
        // What the sweep under the lock came to is no run that succeeded, with nobody in it.
        Assert.Equal(["3"], await world.ListAsync<string>(
            $"""
            SELECT metadata ->> 'agencies_total' FROM jobs_log
            WHERE metadata ->> 'trigger' = 'catch_up' AND started_at > '{date} 16:30Z' AND started_at < '{date} 23:00Z'
            """));
    }

    [Fact]
    public async Task An_agency_that_somebody_holds_is_told_of_by_one_alert_and_by_no_failed_run()
    {
        await world.ClearAsync();
        var agency = await world.AddServedAgencyAsync("2031-05-10T16:00:00Z");
        world.Clock.Now = GrainWorld.At("2031-05-10T17:00:30Z");
        await using (await HeldLock.OnAgencyAsync(world.Owner, agency))
        {
            for (var sweep = 0; sweep < 3; sweep++)
            {
                Assert.Equal(1, (await world.Coordinator.SweepAsync()).AgenciesFailed);
                world.Clock.Now += Duration.FromSeconds(9);
            }

            Assert.Equal(["cutoff_late false"], await AlertsAsync());
        }

        Assert.Equal(1, (await world.Coordinator.SweepAsync()).AgenciesBroughtUpToDate);
        world.Clock.Now += Duration.FromSeconds(9);
        await world.Coordinator.SweepAsync();
        Assert.Equal(["cutoff_late true"], await AlertsAsync());
        Assert.Equal(["success"], await world.ListAsync<string>(
            "SELECT status FROM jobs_log WHERE started_at >= '2031-05-10 16:30Z' AND started_at < '2031-05-11'"));
    }

    [Fact]
    public async Task Who_holds_an_alert_keeps_no_agency_from_being_served()
    {
        await world.ClearAsync();
        await world.AddServedAgencyAsync("2031-05-12T16:00:00Z");
        world.Clock.Now = GrainWorld.At("2031-05-12T17:00:30Z");
        await world.Coordinator.SweepAsync();
        Assert.Equal(["cutoff_late false"], await AlertsAsync());
        var late = await world.AddServedAgencyAsync("2031-05-13T16:00:00Z");
        world.Clock.Now = GrainWorld.At("2031-05-13T17:00:30Z");

        await using (await HoldAsync("SELECT FROM alerts FOR UPDATE"))
        {
            Assert.Equal(2, (await world.Coordinator.SweepAsync()).AgenciesBroughtUpToDate);
            Assert.Equal("2031-05-13 success 0", (await world.LedgerAsync(late))[^1]);
            Assert.Equal(["cutoff_late false"], await AlertsAsync());
            Assert.Equal(world.Clock.Now, await world.ReadAsync<Instant>("SELECT swept_at FROM sweeps"));
        }

        // The first closes the run, which tells that it was late; the second finds that nothing is.
        for (var sweep = 0; sweep < 2; sweep++)
        {
            world.Clock.Now += Duration.FromSeconds(1);
            await world.Coordinator.SweepAsync();
        }

        Assert.All(await AlertsAsync(), alert => Assert.Equal("cutoff_late true", alert));
        Assert.Equal(0, await world.ReadAsync<long>("SELECT count(*) FROM jobs_log WHERE status = 'running'"));
    }

    [Fact]
    public async Task An_agency_that_is_well_again_is_served_while_somebody_holds_its_alert()
    {
        await world.ClearAsync();
        var agency = await world.AddServedAgencyAsync("2031-05-14T16:00:00Z");
        world.Clock.Now = GrainWorld.At("2031-05-14T17:00:30Z");
        await world.MoveAsync(agency, "Mars/Olympus");
        Assert.Equal(1, (await world.Coordinator.SweepAsync()).AgenciesFailed);
        await world.MoveAsync(agency, "UTC");
        world.Clock.Now += Duration.FromSeconds(1);

        await using (await HoldAsync($"SELECT FROM alerts WHERE dedup_key = 'agency_failed:{agency}' FOR UPDATE"))
        {
            Assert.Equal(1, (await world.Coordinator.SweepAsync()).AgenciesBroughtUpToDate);
            Assert.Equal(1, await world.OpenAlertsAsync($"agency_failed:{agency}"));
        }

        Assert.Equal("2031-05-14 success 0", (await world.LedgerAsync(agency))[^1]);
        world.Clock.Now += Duration.FromSeconds(1);
        await world.Coordinator.SweepAsync();
        Assert.Equal(0, await world.OpenAlertsAsync($"agency_failed:{agency}"));
    }

    [Fact]
    public async Task Who_holds_an_agency_whose_instants_are_to_be_computed_anew_keeps_the_sweep_from_no_other()
    {
        await world.ClearAsync();
        var old = await world.AddServedAgencyAsync("2031-05-15T16:00:00Z", cutoffTime: "20:00");
        var late = await world.AddServedAgencyAsync("2031-05-15T16:00:00Z");
        await world.Coordinator.SweepAsync();
        world.Clock.Now = GrainWorld.At("2031-05-15T17:01:30Z");
        await world.ExecuteAsync("UPDATE agency_cutoffs SET tzdb_version = '2000a' WHERE agency_id = $1", old);
        await using (await HeldLock.OnAgencyAsync(world.Owner, old))
        {
            Assert.Equal(1, (await world.Coordinator.SweepAsync()).AgenciesBroughtUpToDate);
            Assert.Equal("2031-05-15 success 0", (await world.LedgerAsync(late))[^1]);
        }

        world.Clock.Now += Duration.FromSeconds(61);
        for (var sweep = 0; sweep < 2; sweep++) await world.Coordinator.SweepAsync();
        Assert.NotEqual("2000a", await world.ReadAsync<string>(
            "SELECT tzdb_version FROM agency_cutoffs WHERE agency_id = $1", old));
    }

    [Fact]
    public async Task An_agency_that_is_deleted_and_comes_back_under_its_id_leaves_no_alert_open()
    {
        await world.ClearAsync();
        var agency = await world.AddServedAgencyAsync("2031-05-20T16:00:00Z");
        world.Clock.Now = GrainWorld.At("2031-05-20T17:00:30Z");
        await world.MoveAsync(agency, "Mars/Olympus");
        await world.Coordinator.SweepAsync();
        Assert.Equal(1, await world.OpenAlertsAsync($"agency_failed:{agency}"));

        await world.ExecuteAsync($"""
            DELETE FROM agencies WHERE id = '{agency}';
            INSERT INTO agencies (id, name, timezone, overdue_cutoff_time) VALUES ('{agency}', 'any', 'UTC', '17:00')
            """);
        world.Clock.Now += Duration.FromSeconds(1);
        await world.Coordinator.SweepAsync();
        world.Clock.Now += Duration.FromSeconds(1);
        await world.Coordinator.SweepAsync();

        Assert.Equal(0, await world.OpenAlertsAsync($"agency_failed:{agency}"));
    }

    private Task<List<string>> AlertsAsync() => world.ListAsync<string>(
        "SELECT kind || ' ' || (resolved_at IS NOT NULL) FROM alerts ORDER BY raised_at");

    private Task<HeldLock> HoldAsync(string sql) => HeldLock.ByAsync(world.Owner, sql);
}
