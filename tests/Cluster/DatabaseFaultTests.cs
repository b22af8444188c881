using System.Net;
using Npgsql;
using Xunit;

namespace Actors.Tests.Cluster;

/// <summary>
/// A database that is gone, cut off, starved, read-only or locked, while cutoffs pass: the silos stay up.
/// </summary>
public sealed class DatabaseFaultTests(FaultWorld world, ITestOutputHelper output)
    : IClassFixture<FaultWorld>, IDisposable
{
    private readonly HttpClient http = new();

    [Fact]
    public async Task A_database_that_stops_in_the_middle_of_commits_finds_all_its_work_done()
    {
        await ThroughAsync("PostgreSQL stopped immediately, and started", async schedule =>
        {
            await world.Database.StopImmediatelyAsync();
            await NotReadyAsync("The database does not answer.");
            await world.Database.StartAgainAsync();
        });
    }

    [Fact]
    public async Task Connections_that_are_cut_again_and_again_lose_nothing()
    {
        await ThroughAsync("Every connection cut, some hundred times", async schedule =>
        {
            await using var connection = await world.Database.ConnectAsync();
            await using var cut = new NpgsqlCommand(
                """
                DO $$
                BEGIN
                  FOR i IN 1..100 LOOP
                    PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
                    WHERE usename = 'actors_silo' AND random() < 0.5;
                    PERFORM pg_sleep(0.03);
                  END LOOP;
                END $$
                """,
                connection);
            await cut.ExecuteNonQueryAsync();
        });
    }

    [Fact]
    public async Task A_database_that_has_turned_read_only_is_waited_for()
    {
        await ThroughAsync("Read-only", async schedule =>
        {
            await world.Database.ExecuteAsync(
                "ALTER ROLE actors_silo SET default_transaction_read_only = on; " + CutAll);
            await NotReadyAsync("The database can only be read");
            await schedule.PassedAsync(0.9);
            await world.Database.ExecuteAsync(
                "ALTER ROLE actors_silo RESET default_transaction_read_only; " + CutAll);
        });
    }

    [Fact]
    public async Task A_database_without_a_free_connection_is_waited_for()
    {
        await ThroughAsync("Out of connections", async schedule =>
        {
            await world.Database.ExecuteAsync("ALTER ROLE actors_silo CONNECTION LIMIT 0; " + CutAll);
            await NotReadyAsync("The database takes no more connections");
            await schedule.PassedAsync(0.9);
            await world.Database.ExecuteAsync("ALTER ROLE actors_silo CONNECTION LIMIT -1");
        });
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

    public void Dispose() => http.Dispose();

    private const string CutAll =
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'actors_silo'";

    /// <summary>Through one fault: nothing is lost, no silo ends, and each is ready again.</summary>
    private async Task ThroughAsync(string what, Func<CutoffSchedule, Task> fault)
    {
        var before = world.Living;
        var schedule = await CutoffSchedule.ArmAsync(world.Database, 50 * FaultWorld.Rounds, 8 * FaultWorld.Rounds);
        await schedule.PassedAsync(0.3);
        await fault(schedule);

        output.WriteLine($"{what}: {await schedule.RequireServedAsync()}.");
        Assert.Equal(before, world.Living);
        foreach (var silo in before)
        {
            await Support.Eventually.HoldsAsync("every silo is ready again", async () =>
                (await AskAsync(silo)).Status == HttpStatusCode.OK);
        }
    }

    /// <summary>Every silo says what is wrong.</summary>
    private async Task NotReadyAsync(string sentence)
    {
        foreach (var silo in world.Living)
        {
            await Support.Eventually.HoldsAsync($"readiness says '{sentence}'", async () =>
                await AskAsync(silo) is (HttpStatusCode.ServiceUnavailable, var body)
                && body.Contains(sentence, StringComparison.Ordinal));
        }
    }

    private async Task<(HttpStatusCode Status, string Body)> AskAsync(SiloProcess silo)
    {
        using var answer = await http.GetAsync(new Uri(await silo.ReadyAsync(), "/health/ready"));
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }
}
