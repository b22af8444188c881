using Xunit;

namespace Actors.Tests.Cluster;

/// <summary>
/// A database that answers, and refuses: it is read-only, or out of connections. The silos stay up, say what is wrong,
/// and do the work when it is over.
/// </summary>
public sealed class DatabaseLimitTests(FaultWorld world, ITestOutputHelper output) : IClassFixture<FaultWorld>
{
    [Fact]
    public async Task A_database_that_has_turned_read_only_is_waited_for()
    {
        var lateness = await world.ThroughAsync(async schedule =>
        {
            await AlterSilosAsync("SET default_transaction_read_only = on");
            await world.NotReadyAsync("The database can only be read");
            await schedule.PassedAsync(0.9);
            await AlterSilosAsync("RESET default_transaction_read_only");
        });
        output.WriteLine($"Read-only: {lateness}.");
    }

    [Fact]
    public async Task A_database_without_a_free_connection_is_waited_for()
    {
        var lateness = await world.ThroughAsync(async schedule =>
        {
            await AlterSilosAsync("CONNECTION LIMIT 0");
            await world.NotReadyAsync("The database takes no more connections");
            await schedule.PassedAsync(0.9);
            await AlterSilosAsync("CONNECTION LIMIT -1");
        });
        output.WriteLine($"Out of connections: {lateness}.");
    }

    /// <summary>
    /// Sets the limit, and then, when that is committed, ends every session that was opened without it.
    /// </summary>
    private async Task AlterSilosAsync(string limit)
    {
        await world.Database.ExecuteAsync($"ALTER ROLE actors_silo {limit}");
        await world.Database.ExecuteAsync(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'actors_silo'");
    }
}
