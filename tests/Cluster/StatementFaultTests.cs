using Xunit;

namespace Actors.Tests.Cluster;

/// <summary>
/// A database that is there, and in which single statements of the silos fail by no fault of their own.
/// </summary>
public sealed class StatementFaultTests(FaultWorlds worlds, ITestOutputHelper output) : FaultTest(worlds)
{
    /// <summary>Fewer than there are cutoffs, also where a busy machine serves several at once.</summary>
    private const int Errors = 8;

    [Fact(
        Skip = "only with ACTORS_TEST_FAULT_ROUNDS: a deadlock is tried again by the same code",
        SkipType = typeof(FaultWorld), SkipUnless = nameof(FaultWorld.IsLongerRound))]
    public async Task A_serialization_error_is_tried_again()
    {
        var late = await World.ThroughAsync(Promise.Retries, async _ =>
        {
            await using var errors = await InjectedErrors.StartAsync(
                World.Database, Errors, "RAISE EXCEPTION 'could not serialize access' USING ERRCODE = '40001'");
            await errors.AreMetAsync();
        });
        output.WriteLine($"{Errors} serialization errors: {late}.");
    }

    [Fact(
        Skip = "only with ACTORS_TEST_FAULT_ROUNDS: a deadlock is tried again by the same code",
        SkipType = typeof(FaultWorld), SkipUnless = nameof(FaultWorld.IsLongerRound))]
    public async Task A_statement_that_the_server_cancels_is_tried_again()
    {
        // As a statement_timeout does it, of which the silo sets its own: 45 s would be long for a test.
        var late = await World.ThroughAsync(Promise.Retries, async _ =>
        {
            await using var errors = await InjectedErrors.StartAsync(
                World.Database, Errors, "PERFORM pg_cancel_backend(pg_backend_pid()); PERFORM pg_sleep(1)");
            await errors.AreMetAsync();
        });
        output.WriteLine($"{Errors} statements cancelled: {late}.");
    }

    [Fact]
    public async Task A_deadlock_that_the_marking_loses_is_tried_again()
    {
        // The one that looks first is ended: the silos, which wait for a row for 50 ms at most, and not the test.
        await World.AlterSilosAsync("SET deadlock_timeout = '45ms'");
        await World.Database.ExecuteAsync(
            """
            CREATE OR REPLACE PROCEDURE meet_in_deadlock(p_rounds integer) LANGUAGE plpgsql AS $$
            DECLARE
              v_next record;
            BEGIN
              FOR v_next IN
                SELECT DISTINCT ON (e.cutoff_at) e.agency_id, e.cutoff_at
                FROM expected_cutoffs e WHERE e.cutoff_at > clock_timestamp() ORDER BY e.cutoff_at LIMIT p_rounds
              LOOP
                -- What the silo locks last is locked first, and the other way round when the silo waits for it.
                PERFORM FROM installments i JOIN payment_plans p ON p.id = i.payment_plan_id
                WHERE p.agency_id = v_next.agency_id AND i.status = 'pending' FOR UPDATE OF i;
                WHILE clock_timestamp() < v_next.cutoff_at + interval '0.9 s' AND NOT EXISTS (
                  SELECT FROM pg_locks WHERE NOT granted AND transactionid = pg_current_xact_id()::xid)
                LOOP
                  PERFORM pg_sleep(0.001);
                END LOOP;
                PERFORM FROM agency_cutoffs WHERE agency_id = v_next.agency_id FOR UPDATE;
                COMMIT;
              END LOOP;
            END $$
            """);
        await World.EnsureSilosAsync();
        var (before, told) = (await DeadlocksAsync(), Told());
        var late = await World.ThroughAsync(
            Promise.Retries, async _ => await World.Database.ExecuteAsync("CALL meet_in_deadlock(6)"));
        await Support.Eventually.HoldsAsync("a deadlock was ended", async () => await DeadlocksAsync() > before);
        var deadlocks = await DeadlocksAsync() - before;
        Assert.True(Told() > told, "No silo has told of a deadlock.");
        await World.AlterSilosAsync("RESET deadlock_timeout");
        output.WriteLine($"{deadlocks} deadlocks: {late}.");
    }

    private int Told() => World.Living.Sum(silo => silo.Logged("deadlock detected"));

    private async Task<long> DeadlocksAsync() => Assert.Single(await World.Database.ListAsync<long>(
        "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"));
}
