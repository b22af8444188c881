using Actors.Silo.CommandLine;
using Npgsql;
using Xunit;

namespace Actors.Tests.Cluster;

/// <summary>Silos that cannot reach each other, but all the database.</summary>
public sealed class PartitionTests(ITestOutputHelper output)
{
    private const int Silos = 3;

    [Fact]
    public async Task The_coordinator_s_silo_is_cut_off_and_another_takes_over_beside_it()
    {
        await using var database = await FaultWorld.StartDatabaseAsync();
        await using var network = await SiloNetwork.TryCreateAsync(Silos, database.Port);
        Assert.SkipWhen(network is null, "network namespaces cannot be made here (they need root and `ip`)");
        var connection = new NpgsqlConnectionStringBuilder(database.SiloConnectionString)
        {
            Host = SiloNetwork.DatabaseHost,
            Port = network.DatabasePort,
        }.ConnectionString;
        var silos = Enumerable.Range(0, Silos)
            .Select(member => SiloProcess.Start(
                connection, around: network.Inside(member), arguments: ["--bind", SiloNetwork.AddressOf(member)]))
            .ToArray();
        try
        {
            await Task.WhenAll(silos.Select(silo => silo.ReadyAsync()));
            var schedule = await CutoffSchedule.ArmAsync(database, 100 * FaultWorld.Rounds, 16 * FaultWorld.Rounds);
            await schedule.PassedAsync(0.1);
            var coordinator = await CoordinatorAsync(database);
            var member = Enumerable.Range(0, Silos).Single(m => SiloNetwork.AddressOf(m) == coordinator);
            await network.CutOffAsync(member);

            await Support.Eventually.HoldsAsync("another silo sweeps", TimeSpan.FromMinutes(1), async () =>
                await CoordinatorAsync(database) != coordinator);
            Assert.True(await silos[member].EndAsync() == (int)ExitCode.Expelled, silos[member].Said);
            output.WriteLine(
                $"The coordinator's silo cut off from the 2 others: {await schedule.RequireServedAsync()}.");
            Assert.Equal(Silos - 1, silos.Count(silo => !silo.HasEnded));
        }
        finally
        {
            foreach (var silo in silos) await silo.DisposeAsync();
        }
    }

    /// <summary>The address of the silo that swept last.</summary>
    private static async Task<string> CoordinatorAsync(OwnPostgres database) => Assert.Single(
        await database.ListAsync<string>(
            "SELECT s.address FROM sweeps w JOIN orleans.silos s ON s.silo_name = w.swept_by"));
}
