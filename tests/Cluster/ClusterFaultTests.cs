using Xunit;

namespace Actors.Tests.Cluster;

/// <summary>Whole clusters that die, or are there twice.</summary>
public sealed class ClusterFaultTests(FaultWorlds worlds, ITestOutputHelper output) : FaultTest(worlds)
{
    [Fact]
    public async Task A_cluster_that_was_killed_whole_comes_back_on_other_ports()
    {
        var schedule = await World.ArmAsync(agencies: 60, seconds: 8);
        await schedule.PassedAsync(0.2);
        var ports = new[] { "--silo-port", "--gateway-port" };
        await schedule.FaultBeginsAsync();
        await Task.WhenAll(World.Living.Select(silo => silo.KillAsync()));
        var elsewhere = SiloProcess.Start(
            World.Database.SiloConnectionString, arguments: [ports[0], $"{FreePort()}", ports[1], $"{FreePort()}"]);
        World.Take(elsewhere);
        await elsewhere.ReadyAsync();

        var late = await schedule.RequireServedAsync(Promise.DeadCluster);
        output.WriteLine($"Whole cluster killed, back on other ports: {late}.");
    }

    [Fact(
        Skip = "only with ACTORS_TEST_FAULT_ROUNDS: a partition makes two coordinators too",
        SkipType = typeof(FaultWorld), SkipUnless = nameof(FaultWorld.IsLongerRound))]
    public async Task Two_clusters_that_do_not_know_of_each_other_mark_nothing_twice()
    {
        await using var other = SiloProcess.Start(World.Database.SiloConnectionString, cluster: "other");
        await other.ReadyAsync();
        var schedule = await World.ArmAsync(agencies: 60, seconds: 5);

        output.WriteLine($"Two coordinators and two owners of each reminder: {await schedule.RequireServedAsync()}.");
        await other.TerminateAsync();
    }

    private static int FreePort() => Silo.Hosting.SiloPorts.FindAny(System.Net.IPAddress.Loopback).Silo;
}
