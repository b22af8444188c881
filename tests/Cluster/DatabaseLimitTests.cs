using System.Net;
using Xunit;

namespace Actors.Tests.Cluster;

/// <summary>
/// A database that answers, and refuses: it is read-only, out of connections, or its disk is full. The silos stay up,
/// say what is wrong, and do the work when it is over.
/// </summary>
public sealed class DatabaseLimitTests(FaultWorlds worlds, ITestOutputHelper output) : FaultTest(worlds)
{
    private const string Full = "The last write failed: The database's disk is full.";

    [Fact(
        Skip = "only with ACTORS_TEST_FAULT_ROUNDS: a standby that is promoted can only be read before",
        SkipType = typeof(FaultWorld), SkipUnless = nameof(FaultWorld.IsLongerRound))]
    public async Task A_database_that_has_turned_read_only_is_waited_for()
    {
        var late = await World.ThroughAsync(async schedule =>
        {
            await World.AlterSilosAsync("SET default_transaction_read_only = on");
            await World.NotReadyAsync("The database can only be read");
            await schedule.PassedAsync(0.9);
            await World.AlterSilosAsync("RESET default_transaction_read_only");
        });
        output.WriteLine($"Read-only: {late}.");
    }

    [Fact]
    public async Task A_database_without_a_free_connection_is_waited_for()
    {
        var late = await World.ThroughAsync(async schedule =>
        {
            await World.AlterSilosAsync("CONNECTION LIMIT 0");
            await World.NotReadyAsync("The database takes no more connections");
            await schedule.PassedAsync(0.9);
            await World.AlterSilosAsync("CONNECTION LIMIT -1");
        });
        output.WriteLine($"Out of connections: {late}.");
    }

    [Fact]
    public async Task A_standby_that_is_promoted_finds_all_its_work_done()
    {
        var late = await World.ThroughAsync(async schedule =>
        {
            await World.Database.StopImmediatelyAsync();
            await World.Database.StartAsStandbyAsync();
            await World.NotReadyAsync("The database can only be read");
            await schedule.PassedAsync(0.9);
            await World.Database.ExecuteAsync("SELECT pg_promote()");
        });
        output.WriteLine($"A standby, promoted: {late}.");
    }

    [Fact]
    public async Task A_database_on_a_full_disk_is_waited_for()
    {
        await using var disk = await SmallDisk.TryUnderAsync(World.Database);
        Machine.Require(disk, "no disk can be mounted here (that needs root, and its right to mount)");
        var late = await World.ThroughAsync(async schedule =>
        {
            await disk.FillAsync();
            await Support.Eventually.HoldsAsync("a statement finds no room, and a silo says so", async () =>
            {
                foreach (var silo in World.Living)
                {
                    var (status, said) = await silo.HealthAsync();
                    if (status == HttpStatusCode.ServiceUnavailable && said.Contains(Full, StringComparison.Ordinal))
                        return true;
                }

                return false;
            });
            await schedule.PassedAsync(0.9);
            disk.Free();
        });
        output.WriteLine($"A full disk: {late}.");
    }
}
