using Npgsql;
using Xunit;

namespace Actors.Tests.Cluster;

/// <summary>A database that is gone or cut off, or in which somebody holds rows, while cutoffs pass.</summary>
public sealed class DatabaseFaultTests(FaultWorlds worlds, ITestOutputHelper output) : FaultTest(worlds)
{
    /// <summary>In the longer round the database stays away for as long after the last cutoff.</summary>
    private static readonly TimeSpan Away = FaultWorld.Rounds > 1 ? TimeSpan.FromMinutes(10) : TimeSpan.Zero;

    [Theory]
    [InlineData(Within.Statement)]
    [InlineData(Within.Commit)]
    public async Task A_database_that_stops_in_the_middle_of_batches_finds_all_its_work_done(Within place)
    {
        await World.EnsureSilosAsync();
        var silos = World.Living;
        await using var held = await HeldBatches.PrepareAsync(World.Database, place);
        var schedule = await World.ArmAsync(agencies: 100, seconds: 0, held: () => held.HoldAsync(silos));
        await held.FirstAsync(silos);
        await schedule.FaultBeginsAsync();
        await World.Database.StopImmediatelyAsync();
        await World.NotReadyAsync("The database does not answer.");
        await World.Database.StartAgainAsync();
        await schedule.FaultEndsAsync();

        var late = await World.RequireServedByAsync(silos, schedule, Promise.DatabaseIsBack);
        output.WriteLine($"PostgreSQL stopped immediately while a batch was within its {place}: {late}.");
    }

    [Fact]
    public async Task A_database_that_is_gone_while_cutoffs_pass_finds_all_its_work_done()
    {
        var late = await World.ThroughAsync(async schedule =>
        {
            await World.Database.StopImmediatelyAsync();
            await schedule.PassedWithoutDatabaseAsync(Away);
            await World.NotReadyAsync("The database does not answer.");
            await World.Database.StartAgainAsync();
        });
        output.WriteLine($"PostgreSQL gone until {Away} after the last cutoff: {late}.");
    }

    [Fact]
    public async Task Connections_that_are_cut_again_and_again_lose_nothing()
    {
        var late = await World.ThroughAsync(async _ => await World.Database.ExecuteAsync(
            """
            DO $$
            BEGIN
              FOR i IN 1..100 LOOP
                PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE usename = 'actors_silo' AND random() < 0.5;
                PERFORM pg_sleep(0.03);
              END LOOP;
            END $$
            """));
        output.WriteLine($"Every connection cut, some hundred times: {late}.");
    }

    [Fact]
    public async Task Rows_that_somebody_holds_are_waited_for_and_the_others_are_not_kept()
    {
        // Not held for longer than agencies are tried again: what failed for good is set aside for half a minute.
        var schedule = await World.ArmAsync(agencies: 60, seconds: 8);
        await schedule.PassedAsync(0.3);
        await schedule.FaultBeginsAsync();
        var apart = await schedule.SetApartAsync(20);
        await using (var holder = await World.Database.ConnectAsync())
        {
            await using var held = await holder.BeginTransactionAsync();
            await using var hold = new NpgsqlCommand(
                """
                SELECT FROM installments WHERE id IN (
                  SELECT DISTINCT ON (p.agency_id) i.id
                  FROM payment_plans p JOIN installments i ON i.payment_plan_id = p.id
                  WHERE i.status = 'pending' AND p.agency_id = ANY ($1))
                FOR UPDATE
                """,
                holder) { Parameters = { new() { Value = apart.ToArray() } } };
            await hold.ExecuteNonQueryAsync();
            await schedule.PassedAsync(0.9);
        }

        var others = await schedule.RequireServedAsync(Promise.Untouched, ofThoseApart: Promise.Retries);
        output.WriteLine($"A row of {apart.Count} agencies held by somebody: {await schedule.LatenessAsync(true)}.");
        output.WriteLine($"The others: {others}.");
    }
}
