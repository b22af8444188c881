using System.Globalization;
using System.Net;
using Actors.Silo.CommandLine;
using Npgsql;
using Xunit;

namespace Actors.Tests.Cluster;

/// <summary>One silo alone cannot reach the database; the others reach it, and each other, and that silo.</summary>
public sealed class CutOffFromDatabaseTests(ITestOutputHelper output)
{
    private const int Silos = 3;

    [Theory]
    [InlineData(Cut.Silent, true)]
    [InlineData(
        Cut.Refused, false, Skip = "only with ACTORS_TEST_FAULT_ROUNDS: a way that is silent is the worse one",
        SkipType = typeof(FaultWorld), SkipUnless = nameof(FaultWorld.IsLongerRound))]
    public async Task The_others_take_over_its_agencies_and_it_ends_when_it_is_back(Cut how, bool hasCoordinator)
    {
        await using var database = await FaultWorld.StartDatabaseAsync();
        await database.ExecuteAsync(
            "ALTER TABLE sweep_log ADD COLUMN silo integer DEFAULT current_setting('faults.silo', true)::integer");
        await using var relay = DatabaseRelay.Start(IPAddress.Loopback, database.Port);
        await using var other = DatabaseRelay.Start(IPAddress.Loopback, database.Port);
        await using var third = DatabaseRelay.Start(IPAddress.Loopback, database.Port);
        DatabaseRelay[] relays = [relay, other, third];
        var silos = relays.Select(way => SiloProcess.Start(Through(way, database.SiloConnectionString))).ToArray();
        try
        {
            await Task.WhenAll(silos.Select(silo => silo.ReadyAsync()));
            // Longer than a silo may be silent, so that cutoffs pass before, meanwhile and after.
            var schedule = await CutoffSchedule.ArmAsync(database, 160 * FaultWorld.Rounds, 36 * FaultWorld.Rounds);
            await schedule.PassedAsync(0.1);
            var coordinator = await NextSweepAsync(database, await database.NowAsync());
            var cut = Array.FindIndex(silos, silo => silo.Number == coordinator == hasCoordinator);
            await schedule.FaultBeginsAsync();
            relays[cut].Cut(how);
            var began = await database.NowAsync();

            // By the others, while it is still cut off.
            var late = await schedule.RequireServedAsync(Promise.SilentSilo);
            Assert.False(silos[cut].HasEnded, silos[cut].Said);
            Assert.Contains(silos, silo => silo.Logged("has given no sign of life for") > 0);
            await Support.Eventually.HoldsAsync("another silo sweeps", async () => Assert.Single(
                await database.ListAsync<bool>(
                    "SELECT EXISTS (SELECT FROM sweep_log WHERE at > $1 AND silo <> $2)", began, silos[cut].Number)));
            Assert.Equal(1, Assert.Single(await database.ListAsync<long>(
                "SELECT count(*) FROM orleans.silos WHERE status = 6")));
            var mended = await database.NowAsync();
            relays[cut].Mend();
            Assert.True(await silos[cut].EndAsync() == (int)ExitCode.Expelled, silos[cut].Said);
            var ended = await database.NowAsync();

            output.WriteLine($"1 silo of 3 cut off from the database, {how}, coordinator's: {hasCoordinator}: {late}.");
            var took = (ended - mended).TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture);
            output.WriteLine($"It ended {took} s after the way was mended.");
            Assert.Equal(Silos - 1, silos.Count(silo => !silo.HasEnded));
        }
        finally
        {
            foreach (var silo in silos) await silo.DisposeAsync();
        }
    }

    private static string Through(DatabaseRelay relay, string connectionString) =>
        new NpgsqlConnectionStringBuilder(connectionString) { Host = "127.0.0.1", Port = relay.Port }.ConnectionString;

    /// <summary>Waits for a sweep after this, and answers which silo swept.</summary>
    private static async Task<int> NextSweepAsync(OwnPostgres database, DateTime after)
    {
        IReadOnlyList<int> authors = [];
        await Support.Eventually.HoldsAsync("somebody sweeps", async () => (authors = await database.ListAsync<int>(
            "SELECT silo FROM sweep_log WHERE at > $1 ORDER BY at DESC LIMIT 1", after)).Count > 0);
        return authors[0];
    }
}
