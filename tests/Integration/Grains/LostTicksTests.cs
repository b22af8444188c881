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

/// <summary>The looks for ticks that nobody ticked.</summary>
public sealed class LostTicksTests(PausingWorld world) : IClassFixture<PausingWorld>
{
    [Fact]
    public async Task An_agency_whose_rows_somebody_holds_keeps_no_later_look_from_the_others()
    {
        var pauses = world.Pauses.Anew();
        var held = await world.AddServedAgencyAsync("2031-01-10T16:00:00Z");
        var mate = await world.AddServedAgencyAsync("2031-01-10T16:00:00Z", cutoffTime: "17:00:05");
        await using var hold = await HeldLock.OnAgencyAsync(world.Owner, held);
        world.Clock.Now = GrainWorld.At("2031-01-10T17:00:01Z");

        await using var looks = await Looks.StartAsync(world);
        await looks.Clock.PassAsync();
        // It was asked, found busy, and waits by a clock that nobody moves.
        await pauses.NextAsync();

        world.Clock.Now += Duration.FromSeconds(5);
        await looks.Clock.PassAsync();
        await UntilServedAsync(mate, "2031-01-10");
        Assert.Equal(["2031-01-09 success 0"], await world.LedgerAsync(held));

        await looks.StopAsync();
        await hold.ReleaseAsync();
        pauses.Advance(TimeSpan.FromSeconds(1));
        await UntilServedAsync(held, "2031-01-10");
    }

    [Fact]
    public async Task An_agency_that_is_at_its_retries_is_left_to_them()
    {
        var pauses = world.Pauses.Anew();
        var held = await world.AddServedAgencyAsync("2031-04-10T16:00:00Z");
        await using var hold = await HeldLock.OnAgencyAsync(world.Owner, held);
        world.Clock.Now = GrainWorld.At("2031-04-10T17:00:01Z");
        var tick = world.BringUpToDateAsync(held);
        await pauses.NextAsync();

        // It answers while the tick waits; a run of its own would wait for the tick, and fail once more after it.
        await world.Grain(held).ServeLostTickAsync().WaitAsync(TimeSpan.FromSeconds(30));

        await hold.ReleaseAsync();
        pauses.Advance(TimeSpan.FromSeconds(1));
        Assert.Single((await tick).Served);
    }

    [Fact]
    public async Task A_silo_that_is_alone_looks_as_long_as_it_runs()
    {
        var agency = await world.AddServedAgencyAsync("2031-02-10T16:00:00Z");
        await using var looks = await Looks.StartAsync(world);
        for (var look = 0; look < 20; look++) await looks.Clock.PassAsync();

        world.Clock.Now = GrainWorld.At("2031-02-10T17:00:01Z");
        await looks.Clock.PassAsync();
        await UntilServedAsync(agency, "2031-02-10");
    }

    [Fact]
    public async Task A_herd_whose_ticks_were_lost_is_served_at_the_second_look()
    {
        var herd = new List<Guid>();
        for (var i = 0; i < 40; i++) herd.Add(await world.AddServedAgencyAsync("2031-03-10T16:00:00Z"));
        world.Clock.Now = GrainWorld.At("2031-03-10T17:00:01Z");

        await using var looks = await Looks.StartAsync(world);
        await looks.Clock.PassAsync();
        await looks.Clock.PassAsync();
        foreach (var agency in herd) await UntilServedAsync(agency, "2031-03-10");
    }

    private Task UntilServedAsync(Guid agency, string date) => Eventually.HoldsAsync(
        $"agency {agency} is served", async () => (await world.LedgerAsync(agency))[^1] == $"{date} success 0");

    /// <summary>The looks of the world's silo, which has none of its own, by a clock that a test moves.</summary>
    private sealed class Looks : IAsyncDisposable
    {
        private readonly NpgsqlDataSource _pool;
        private readonly LostTicks _lost;

        private Looks(GrainWorld world)
        {
            _pool = GrainDatabase.Connect(world.SiloConnectionString);
            _lost = new LostTicks(
                world.Silo.Services.GetRequiredService<ISiloStatusOracle>(),
                new GrainDatabase(_pool, DatabaseClock.ReplacedBy(world.Clock)), world.Silo.Grains, Clock,
                NullLogger<LostTicks>.Instance);
        }

        public PauseClock Clock { get; } = new();

        public static async Task<Looks> StartAsync(GrainWorld world)
        {
            var looks = new Looks(world);
            await looks._lost.StartAsync(TestContext.Current.CancellationToken);
            return looks;
        }

        public Task StopAsync() => _lost.StopAsync(CancellationToken.None);

        public async ValueTask DisposeAsync()
        {
            await StopAsync();
            _lost.Dispose();
            await _pool.DisposeAsync();
        }
    }
}
