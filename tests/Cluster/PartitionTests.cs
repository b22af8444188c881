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
        Machine.Require(network, "network namespaces cannot be made here (they need root and `ip`)");
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
            await Blindness.PrepareAsync(database);
            var schedule = await CutoffSchedule.ArmAsync(database, 120 * FaultWorld.Rounds, 24 * FaultWorld.Rounds);
            await schedule.PassedAsync(0.1);
            // Just after a sweep, so that its next one comes when another silo sweeps as well.
            var coordinator = await NextSweepAsync(database, await database.NowAsync());
            var member = await MemberOfAsync(database, coordinator);
            await schedule.FaultBeginsAsync();
            var cut = await database.NowAsync();
            await network.CutOffAsync(member);
            await Blindness.StrikeAsync(database, silos[member]);

            await Support.Eventually.HoldsAsync(
                "another silo sweeps, and then the one that was cut off again", TimeSpan.FromMinutes(1), async () =>
                Assert.Single(await database.ListAsync<bool>(
                    """
                    SELECT EXISTS (
                      SELECT FROM sweep_log other JOIN sweep_log again ON again.at > other.at
                      WHERE other.at > $2 AND other.swept_by <> $1 AND again.swept_by = $1)
                    """, coordinator, cut)));
            await Blindness.EndAsync(database);
            Assert.True(await silos[member].EndAsync() == (int)ExitCode.Expelled, silos[member].Said);
            var late = await schedule.RequireServedAsync(Promise.DeadSilo);
            var authors = Assert.Single(await database.ListAsync<string>(
                "SELECT string_agg(left(swept_by, 20), ' ' ORDER BY at) FROM sweep_log WHERE at > $1", cut));
            output.WriteLine($"The coordinator's silo, {coordinator}, cut off from the 2 others: {late}.");
            output.WriteLine($"Sweeps since then by: {authors}.");
            Assert.Equal(Silos - 1, silos.Count(silo => !silo.HasEnded));
        }
        finally
        {
            foreach (var silo in silos) await silo.DisposeAsync();
        }
    }

    /// <summary>Waits for a sweep after this, and answers who swept.</summary>
    private static async Task<string> NextSweepAsync(OwnPostgres database, DateTime after)
    {
        IReadOnlyList<string> authors = [];
        await Support.Eventually.HoldsAsync("somebody sweeps", async () => (authors = await database.ListAsync<string>(
            "SELECT swept_by FROM sweep_log WHERE at > $1 ORDER BY at DESC LIMIT 1", after)).Count > 0);
        return authors[0];
    }

    private static async Task<int> MemberOfAsync(OwnPostgres database, string silo)
    {
        var address = Assert.Single(await database.ListAsync<string>(
            "SELECT address FROM orleans.silos WHERE silo_name = $1", silo));
        return Enumerable.Range(0, Silos).Single(member => SiloNetwork.AddressOf(member) == address);
    }
}
