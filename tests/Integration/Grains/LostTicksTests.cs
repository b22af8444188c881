using Actors.Grains;
using Actors.Grains.Cutoffs;
using Actors.Silo.Hosting;
using Actors.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using NodaTime;
using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Grains;

/// <summary>The looks after a change of the membership, for ticks that nobody ticked.</summary>
public sealed class LostTicksTests(PausingWorld world) : IClassFixture<PausingWorld>
{
    [Fact]
    public async Task An_agency_whose_rows_somebody_holds_keeps_no_later_look_from_the_others()
    {
        var pauses = world.Pauses.Anew();
        await using var other = await GrainSilo.StartAsync(
            world.SiloConnectionString, world.Options, world.Clock, world.Reminders, world.Pauses);
        var held = await world.AddServedAgencyAsync("2031-01-10T16:00:00Z");
        var mate = await world.AddServedAgencyAsync("2031-01-10T16:00:00Z", cutoffTime: "17:00:05");
        await using var holder = await world.Owner.OpenConnectionAsync();
        await using var hold = await holder.BeginTransactionAsync();
        await using var take = new NpgsqlCommand(
            $"SELECT FROM agency_cutoffs WHERE agency_id = '{held}' FOR UPDATE", holder);
        await take.ExecuteNonQueryAsync();
        world.Clock.Now = GrainWorld.At("2031-01-10T17:00:01Z");

        var first = await FirstOfTwoAsync(world.Silo, other);
        await using var pool = GrainDatabase.Connect(world.SiloConnectionString);
        var looks = new PauseClock();
        using var lost = new LostTicks(
            first, new GrainDatabase(pool, DatabaseClock.ReplacedBy(world.Clock)), world.Silo.Grains, looks,
            NullLogger<LostTicks>.Instance);
        await lost.StartAsync(TestContext.Current.CancellationToken);
        await looks.PassAsync();
        // It was asked, found busy, and waits by a clock that nobody moves.
        await pauses.NextAsync();

        world.Clock.Now += Duration.FromSeconds(5);
        await looks.PassAsync();
        await Eventually.HoldsAsync("the other one is served", async () =>
            (await world.LedgerAsync(mate))[^1] == "2031-01-10 success 0");
        Assert.Equal(["2031-01-09 success 0"], await world.LedgerAsync(held));

        await lost.StopAsync(TestContext.Current.CancellationToken);
        await hold.RollbackAsync();
        pauses.Advance(TimeSpan.FromSeconds(1));
        await Eventually.HoldsAsync("the held one is served", async () =>
            (await world.LedgerAsync(held))[^1] == "2031-01-10 success 0");
    }

    /// <summary>The one that looks, once both know of each other.</summary>
    private static async Task<ISiloStatusOracle> FirstOfTwoAsync(params GrainSilo[] silos)
    {
        var oracles = silos.Select(silo => silo.Services.GetRequiredService<ISiloStatusOracle>()).ToArray();
        foreach (var oracle in oracles)
        {
            await Eventually.HoldsAsync("both silos are known", () =>
                Task.FromResult(oracle.GetApproximateSiloStatuses(onlyActive: true).Count == oracles.Length));
        }

        return oracles.MinBy(oracle => oracle.SiloAddress)!;
    }
}
