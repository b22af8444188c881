using Npgsql;
using Xunit;

namespace Actors.Tests.Cluster;

/// <summary>A database that is gone or cut off, or in which somebody holds rows, while cutoffs pass.</summary>
public sealed class DatabaseFaultTests(FaultWorld world, ITestOutputHelper output) : IClassFixture<FaultWorld>
{
    /// <summary>In the longer round the database stays away for as long after the last cutoff.</summary>
    private static readonly TimeSpan Away = FaultWorld.Rounds > 1 ? TimeSpan.FromMinutes(10) : TimeSpan.Zero;

    [Fact]
    public async Task A_database_that_stops_in_the_middle_of_commits_finds_all_its_work_done()
    {
        var lateness = await world.ThroughAsync(async _ =>
        {
            await world.Database.StopImmediatelyAsync();
            await world.NotReadyAsync("The database does not answer.");
            await world.Database.StartAgainAsync();
        });
        output.WriteLine($"PostgreSQL stopped immediately, and started: {lateness}.");
    }

    [Fact]
    public async Task A_database_that_is_gone_while_cutoffs_pass_finds_all_its_work_done()
    {
        var lateness = await world.ThroughAsync(async schedule =>
        {
            await world.Database.StopImmediatelyAsync();
            await schedule.PassedWithoutDatabaseAsync(Away);
            await world.NotReadyAsync("The database does not answer.");
            await world.Database.StartAgainAsync();
        });
        output.WriteLine($"PostgreSQL gone until {Away} after the last cutoff: {lateness}.");
    }

    [Fact]
    public async Task Connections_that_are_cut_again_and_again_lose_nothing()
    {
        var lateness = await world.ThroughAsync(async _ => await world.Database.ExecuteAsync(
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
        output.WriteLine($"Every connection cut, some hundred times: {lateness}.");
    }

    [Fact]
    public async Task Rows_that_somebody_holds_are_waited_for_and_the_others_are_not_kept()
    {
        var schedule = await CutoffSchedule.ArmAsync(world.Database, 60 * FaultWorld.Rounds, 8 * FaultWorld.Rounds);
        await using (var holder = await world.Database.ConnectAsync())
        {
            await using var held = await holder.BeginTransactionAsync();
            await using var hold = new NpgsqlCommand(
                """
                SELECT FROM installments WHERE id IN (
                  SELECT DISTINCT ON (p.agency_id) i.id
                  FROM expected_cutoffs e JOIN payment_plans p USING (agency_id)
                  JOIN installments i ON i.payment_plan_id = p.id
                  WHERE i.status = 'pending' AND e.cutoff_at > clock_timestamp()
                  ORDER BY p.agency_id LIMIT 20)
                FOR UPDATE
                """,
                holder);
            await hold.ExecuteNonQueryAsync();
            await schedule.PassedAsync(1);
        }

        output.WriteLine($"A row of 20 agencies held by somebody: {await schedule.RequireServedAsync()}.");
    }
}
