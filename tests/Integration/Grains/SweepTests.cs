using Actors.Grains;
using Actors.Grains.Cutoffs;
using Actors.Grains.Interfaces;
using Actors.Grains.Jobs;
using Actors.Silo.Hosting;
using Actors.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using NodaTime;
using Npgsql;
using System.Net;
using Xunit;

namespace Actors.Tests.Integration.Grains;

/// <summary>What no reminder served is found by the sweep.</summary>
public sealed class SweepTests(PausingWorld world) : IClassFixture<PausingWorld>
{
    private const string Late = "cutoff_late:update-installment-statuses";

    [Fact]
    public async Task New_changed_and_late_agencies_are_found_and_paused_ones_and_those_set_aside_are_not()
    {
        await world.ClearAsync();
        var late = await world.AddServedAgencyAsync("2031-01-10T16:00:00Z");
        var paused = await world.AddServedAgencyAsync("2031-01-10T16:00:00Z");
        var setAside = await world.AddServedAgencyAsync("2031-01-10T16:00:00Z");
        var justPassed = await world.AddServedAgencyAsync("2031-01-10T16:00:00Z", cutoffTime: "17:00:05");
        var changed = await world.AddServedAgencyAsync("2031-01-10T16:00:00Z", cutoffTime: "20:00");
        await world.MoveAsync(changed, "Europe/London");
        await world.ExecuteAsync("UPDATE agency_cutoffs SET paused_at = now() WHERE agency_id = $1", paused);
        world.Clock.Now = GrainWorld.At("2031-01-10T17:00:11Z");
        await world.ExecuteAsync(
            "UPDATE agency_cutoffs SET set_aside_until = $2 WHERE agency_id = $1",
            setAside, world.Clock.Now + Duration.FromSeconds(1));
        var added = await world.AddAgencyAsync();

        var swept = await world.Coordinator.SweepAsync();

        Assert.Equal((3, 3), (swept.AgenciesFound, swept.AgenciesBroughtUpToDate));
        Assert.Equal("2031-01-10 success 0", (await world.LedgerAsync(late))[^1]);
        Assert.Equal(["2031-01-10 success 0"], await world.LedgerAsync(added));
        foreach (var agency in new[] { paused, setAside, justPassed, changed })
            Assert.Equal(["2031-01-09 success 0"], await world.LedgerAsync(agency));
        Assert.Equal(0, await world.ReadAsync<long>(
            "SELECT count(*) FROM agency_cutoffs WHERE next_cutoff_at IS NULL"));
    }

    [Fact]
    public async Task What_is_late_is_alerted_once_and_resolved_when_nothing_is_late_any_more()
    {
        await world.ClearAsync();
        var agency = await world.AddServedAgencyAsync("2031-02-10T16:00:00Z");
        await world.ExecuteAsync(
            "UPDATE agency_cutoffs SET set_aside_until = $2 WHERE agency_id = $1", agency,
            GrainWorld.At("2031-02-10T17:01:00Z"));
        for (var second = 15; second < 60; second += 15)
        {
            world.Clock.Now = GrainWorld.At("2031-02-10T17:00:00Z") + Duration.FromSeconds(second);
            Assert.Equal(0, (await world.Coordinator.SweepAsync()).AgenciesFound);
            Assert.Equal(1, await world.OpenAlertsAsync(Late));
        }

        Assert.Equal(
            "1 agency is unserved after the cutoff; the earliest of these cutoffs was at 2031-02-10 17:00:00 UTC",
            await world.ReadAsync<string>("SELECT message FROM alerts WHERE dedup_key = $1", Late));
        world.Clock.Now = GrainWorld.At("2031-02-10T17:01:00Z");
        await world.Coordinator.SweepAsync();
        world.Clock.Now += Duration.FromSeconds(15);
        await world.Coordinator.SweepAsync();

        Assert.Equal(0, await world.OpenAlertsAsync(Late));
        Assert.Equal(1, await world.ReadAsync<long>("SELECT count(*) FROM alerts WHERE dedup_key = $1", Late));
    }

    [Fact]
    public async Task A_second_coordinator_at_the_same_moment_does_nothing()
    {
        var nobody = new Dictionary<AgencyId, AskedAgencies>();
        await world.ClearAsync();
        await world.AddServedAgencyAsync("2031-03-10T16:00:00Z");
        world.Clock.Now = GrainWorld.At("2031-03-10T17:00:30Z");
        await using var pool = GrainDatabase.Connect(world.SiloConnectionString);
        var second = new SweepStore(
            new GrainDatabase(pool, DatabaseClock.ReplacedBy(world.Clock)), new LastWrites(), new GrainOptions(),
            NullLogger<SweepStore>.Instance);
        await using (await HeldLock.ByAsync(world.Owner, $"SELECT pg_advisory_xact_lock({SweepStore.SweepLock})"))
        {
            Assert.Null(await second.FindAsync("second", Duration.Zero, nobody, CancellationToken.None));
            Assert.Equal(0, await world.OpenAlertsAsync(Late));
        }

        Assert.Single((await second.FindAsync("second", Duration.Zero, nobody, CancellationToken.None))!.Agencies);
        Assert.Equal("second 1", await world.ReadAsync<string>("SELECT swept_by || ' ' || agencies_found FROM sweeps"));
    }

    [Fact]
    public async Task Who_asks_while_a_sweep_looks_shares_the_one_after_it()
    {
        await world.ClearAsync();
        await world.AddServedAgencyAsync("2031-04-10T16:00:00Z");
        world.Clock.Now = GrainWorld.At("2031-04-10T17:00:30Z");
        await using var holder = await world.Owner.OpenConnectionAsync();
        await using var hold = await holder.BeginTransactionAsync();
        await using var take = new NpgsqlCommand("SELECT FROM sweeps FOR UPDATE", holder);
        await take.ExecuteNonQueryAsync();

        var first = world.Coordinator.SweepAsync();
        await HoldsAsync(world.Owner, "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND "
            + $"{holder.ProcessID} = ANY (pg_blocking_pids(pid)))");
        world.Clock.Now += Duration.FromSeconds(1);
        var added = await world.AddAgencyAsync();
        var next = Task.WhenAll(world.Coordinator.SweepAsync(), world.Coordinator.SweepAsync());
        await hold.RollbackAsync();

        Assert.Equal(1, (await first).AgenciesFound);
        Assert.Equal([1, 1], (await next).Select(sweep => sweep.AgenciesFound));
        Assert.Equal(["2031-04-10 success 0"], await world.LedgerAsync(added));
    }

    [Fact]
    public async Task An_agency_whose_rows_somebody_holds_keeps_no_sweep_from_the_others()
    {
        await world.ClearAsync();
        var pauses = world.Pauses.Anew();
        var held = await world.AddServedAgencyAsync("2031-04-12T16:00:00Z");
        world.Clock.Now = GrainWorld.At("2031-04-12T17:00:30Z");
        await using var hold = await HeldLock.OnAgencyAsync(world.Owner, held);
        var first = world.Coordinator.SweepAsync();
        await pauses.NextAsync();

        // Nobody moves the clock under the pauses: the held one is not tried again before the others are done.
        world.Clock.Now += Duration.FromSeconds(1);
        var added = await world.AddAgencyAsync();
        Assert.Equal(1, (await world.Coordinator.SweepAsync()).AgenciesBroughtUpToDate);
        Assert.Equal(["2031-04-12 success 0"], await world.LedgerAsync(added));
        Assert.Equal(GrainWorld.At("2031-04-13T17:00:00Z"), await world.ArmedForAsync(added));
        Assert.False(first.IsCompleted);

        await hold.ReleaseAsync();
        pauses.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(1, (await first).AgenciesBroughtUpToDate);
        Assert.Equal("2031-04-12 success 0", (await world.LedgerAsync(held))[^1]);
        Assert.Equal(["success 1", "success 1"], await world.ListAsync<string>(
            """
            SELECT j.status || ' ' || (j.metadata ->> 'agencies_total')
            FROM jobs_log j JOIN agency_runs r ON r.job_id = j.id
            WHERE r.agency_id IN ($1, $2) AND r.cutoff_date = '2031-04-12'
            """, held, added));
    }

    [Fact]
    public async Task What_was_lost_with_the_silo_that_was_asked_is_asked_again_after_20_s_and_awaited_no_more()
    {
        await world.ClearAsync();
        var agency = await world.AddServedAgencyAsync("2031-04-14T16:00:00Z");
        world.Clock.Now = GrainWorld.At("2031-04-14T17:00:30Z");
        var lost = world.Silo.CallFaults.LoseNextTo(agency);
        var first = world.Coordinator.SweepAsync();
        await lost;

        world.Clock.Now += Duration.FromSeconds(20) - Duration.FromMilliseconds(1);
        Assert.Equal(0, (await world.Coordinator.SweepAsync()).AgenciesFound);
        Assert.False(first.IsCompleted);
        world.Clock.Now += Duration.FromMilliseconds(1);
        Assert.Equal(1, (await world.Coordinator.SweepAsync()).AgenciesBroughtUpToDate);

        Assert.Equal("2031-04-14 success 0", (await world.LedgerAsync(agency))[^1]);
        var counts = await first;
        Assert.Equal((1, 0, 0), (counts.AgenciesFound, counts.AgenciesBroughtUpToDate, counts.AgenciesFailed));
        Assert.Equal(0, await world.ReadAsync<long>("SELECT count(*) FROM jobs_log WHERE status = 'running'"));
    }

    [Fact]
    public async Task Instants_of_an_older_TZDB_are_computed_anew_at_any_time_and_armed_and_those_of_a_newer_one_stay()
    {
        await world.ClearAsync();
        var old = await world.AddServedAgencyAsync("2031-05-10T12:00:00Z");
        var newer = await world.AddServedAgencyAsync("2031-05-10T12:00:00Z");
        // The coordinator has done this at its start, and does it again a minute later.
        for (var sweep = 0; sweep < 2; sweep++)
        {
            await world.Coordinator.SweepAsync();
            world.Clock.Now += Duration.FromMinutes(1);
        }

        // As a silo of another version leaves it beside one that sweeps: an hour off, and the reminder with it.
        foreach (var (agency, version) in new[] { (old, "1999z"), (newer, "2999a") })
        {
            await world.ExecuteAsync(
                """
                UPDATE agency_cutoffs SET tzdb_version = $2, next_cutoff_at = next_cutoff_at + interval '1 hour'
                WHERE agency_id = $1
                """, agency, version);
            await world.ExecuteAsync(
                "UPDATE orleans.reminders SET start_time = start_time + interval '1 hour' WHERE grain_id = $1",
                $"agency/{agency:N}");
        }

        var unknown = await world.AddAgencyAsync();
        await world.ExecuteAsync("DELETE FROM agency_cutoffs WHERE agency_id = $1", unknown);
        await world.Coordinator.SweepAsync();

        Assert.Equal($"{ZoneCatalogue.TzdbVersion} 17:00", await NextAsync(old));
        Assert.Equal(GrainWorld.At("2031-05-10T17:00:00Z"), await world.ArmedForAsync(old));
        Assert.Equal(["2031-05-09 success 0"], await world.LedgerAsync(old));
        Assert.Equal($"{ZoneCatalogue.TzdbVersion} 17:00", await NextAsync(unknown));
        Assert.Equal("2999a 18:00", await NextAsync(newer));
    }

    [Fact]
    public async Task What_changes_while_an_agencys_answer_is_on_its_way_is_found_when_it_has_come()
    {
        await world.ClearAsync();
        var agency = await world.AddServedAgencyAsync("2031-04-15T16:00:00Z");
        world.Clock.Now = GrainWorld.At("2031-04-15T17:00:30Z");
        var arrival = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var answered = world.Silo.CallFaults.HoldNextAnswerOf(agency, arrival.Task);
        var first = world.Coordinator.SweepAsync();
        await answered;
        await world.ExecuteAsync("UPDATE agencies SET overdue_cutoff_time = '18:00' WHERE id = $1", agency);
        Assert.Equal(0, (await world.Coordinator.SweepAsync()).AgenciesFound);

        arrival.SetResult();
        Assert.Equal(1, (await first).AgenciesBroughtUpToDate);
        world.Pauses.Advance(TimeSpan.FromMilliseconds(250));

        await HoldsAsync(world.Owner, "SELECT EXISTS (SELECT FROM agency_cutoffs "
            + $"WHERE agency_id = '{agency}' AND next_cutoff_at = '2031-04-16 18:00Z')");
    }

    [Fact]
    public async Task A_sweep_that_was_asked_for_and_could_not_reach_the_database_comes_again_by_itself()
    {
        await world.ClearAsync();
        world.Clock.Now = GrainWorld.At("2031-04-16T16:00:00Z");
        await world.ExecuteAsync(
            """
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
              RAISE EXCEPTION 'cancelled' USING ERRCODE = '57014';
            END $$;
            CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON sweeps FOR EACH ROW EXECUTE FUNCTION refuse();
            """);
        await Assert.ThrowsAnyAsync<Exception>(() => world.Coordinator.SweepAsync());
        await world.ExecuteAsync("DROP FUNCTION refuse() CASCADE");
        var added = await world.AddAgencyAsync();
        Assert.Null(await world.ReadAsync<DateTime?>(
            "SELECT next_cutoff_at FROM agency_cutoffs WHERE agency_id = $1", added));

        world.Pauses.Advance(TimeSpan.FromSeconds(2));

        await HoldsAsync(world.Owner, "SELECT EXISTS (SELECT FROM agency_cutoffs "
            + $"WHERE agency_id = '{added}' AND next_cutoff_at IS NOT NULL)");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_agency_that_is_inserted_in_SQL_is_armed_without_waiting_for_the_sweeps_period(bool isUnheard)
    {
        await using var database = await TestDatabase.CreateMigratedAsync();
        await using var owner = NpgsqlDataSource.Create(database.ConnectionString);
        await using var host = ActorsHost.Build(new SiloSettings
        {
            SiloConnectionString = database.SiloConnectionString,
            Ports = SiloPorts.FindAny(IPAddress.Loopback),
            IsAlone = true,
            Grains = new GrainOptions { SweepPeriod = TimeSpan.FromMinutes(9) },
        });
        await host.StartAsync();
        // It listens, and has swept at its start: from here on only the nudge can bring a sweep. Whether it listens is
        // shown to its own login alone, and to a superuser.
        await using var superuser = NpgsqlDataSource.Create(database.SuperuserConnectionString);
        await HoldsAsync(superuser, "SELECT EXISTS (SELECT FROM sweeps)");
        await HoldsAsync(superuser, $"SELECT EXISTS ({Listening})");
        if (isUnheard)
        {
            // Every session ends, so that nobody hears it, and who looks again finds dead connections in its pool.
            await using var end = superuser.CreateCommand(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                + "WHERE datname = current_database() AND usename = 'actors_silo'");
            await end.ExecuteNonQueryAsync();
            await HoldsAsync(superuser, $"SELECT NOT EXISTS ({Listening})");
        }

        await using (var insert = owner.CreateCommand("INSERT INTO agencies (name) VALUES ('by another application')"))
            await insert.ExecuteNonQueryAsync();

        await HoldsAsync(owner, "SELECT EXISTS (SELECT FROM orleans.reminders r JOIN agencies a "
            + "ON r.grain_id = 'agency/' || replace(a.id::text, '-', ''))");
        await host.StopAsync();
    }

    private const string Listening =
        "SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'actors-listen' "
        + "AND query LIKE 'LISTEN%'";

    private Task<string> NextAsync(Guid agency) => world.ReadAsync<string>(
        """
        SELECT concat_ws(' ', tzdb_version, to_char(next_cutoff_at AT TIME ZONE 'UTC', 'HH24:MI'))
        FROM agency_cutoffs WHERE agency_id = $1
        """, agency);

    private static Task HoldsAsync(NpgsqlDataSource source, string sql) => Eventually.HoldsAsync(sql, async () =>
    {
        await using var command = source.CreateCommand(sql);
        return (bool)(await command.ExecuteScalarAsync())!;
    });
}
