using Xunit;

namespace Actors.Tests.Integration.Cluster;

/// <summary>Orleans' reminders over two silos and our SQL.</summary>
public sealed class ReminderServiceTests(ReminderServiceTests.TwoSilos silos)
    : IClassFixture<ReminderServiceTests.TwoSilos>
{
    private readonly RemindedCluster _cluster = silos.Cluster;

    [Fact]
    public async Task A_reminder_ticks_every_period_until_it_is_stopped_by_its_reference()
    {
        var grain = _cluster.NewGrain();
        var stopped = (Grain: grain.GetGrainId(), Name: "stopped");
        var kept = (Grain: grain.GetGrainId(), Name: "kept");
        await grain.Remind(stopped.Name);
        await grain.Remind(kept.Name);
        Assert.Equal(["kept", "stopped"], await grain.Reminders());
        await _cluster.TickAsync([stopped, kept]);
        await _cluster.TickAsync([stopped, kept]);
        await _cluster.ArmedAsync([stopped, kept]);

        await grain.Forget(stopped.Name);
        await _cluster.Watch.UntilAsync("no silo keeps the reminder", state =>
            !state.Timers.Any(timer => timer.Grain == stopped.Grain && timer.Name == stopped.Name));
        var state = await _cluster.TickAsync([kept]);

        Assert.Equal(["kept"], await grain.Reminders());
        Assert.Equal(2, state.TicksOf(stopped.Grain, stopped.Name).Count());
        var ticks = state.TicksOf(kept.Grain, kept.Name).Select(tick => tick.At).ToList();
        Assert.Equal([ticks[0], ticks[0].AddMinutes(1), ticks[0].AddMinutes(2)], ticks);
    }

    [Fact]
    public async Task A_tick_that_throws_is_not_repeated_and_the_next_one_comes()
    {
        var grain = _cluster.NewGrain();
        var broken = (Grain: grain.GetGrainId(), Name: RemindedGrain.Broken);
        var sound = (Grain: grain.GetGrainId(), Name: "sound");
        await grain.Remind(broken.Name);
        await grain.Remind(sound.Name);

        await _cluster.TickAsync([broken, sound]);
        await _cluster.TickAsync([broken, sound]);
        var state = await _cluster.TickAsync([broken, sound]);

        Assert.Equal([true, true, true], state.TicksOf(broken.Grain, broken.Name).Select(tick => tick.Failed));
        Assert.Equal([false, false, false], state.TicksOf(sound.Grain, sound.Name).Select(tick => tick.Failed));
    }

    [Fact]
    public async Task Many_grains_with_several_reminders_each_all_tick_and_both_silos_have_their_share()
    {
        var grains = Enumerable.Range(0, 100).Select(_ => _cluster.NewGrain()).ToList();
        string[] names = ["first", "second", "third"];
        await Task.WhenAll(grains.SelectMany(grain => names.Select(grain.Remind)));
        var reminders = grains.SelectMany(grain => names.Select(name => (grain.GetGrainId(), name))).ToList();

        await _cluster.TickAsync(reminders);
        var state = await _cluster.TickAsync(reminders);

        var ticks = reminders.SelectMany(reminder => state.TicksOf(reminder.Item1, reminder.name)).ToList();
        Assert.Equal(2 * reminders.Count, ticks.Count);
        Assert.Equal(2, ticks.Select(tick => tick.Port).Distinct().Count());
    }

    /// <summary>The silos of all tests of this class; each test has grains of its own.</summary>
    public sealed class TwoSilos : IAsyncLifetime
    {
        private readonly ClusterDatabase _database = new();

        private RemindedCluster? _cluster;

        internal RemindedCluster Cluster => _cluster!;

        public async ValueTask InitializeAsync()
        {
            await _database.InitializeAsync();
            _cluster = new RemindedCluster(_database.Orleans);
            await _cluster.StartSiloAsync();
            await _cluster.StartSiloAsync();
        }

        public async ValueTask DisposeAsync()
        {
            if (_cluster is not null) await _cluster.DisposeAsync();
            await _database.DisposeAsync();
        }
    }
}
