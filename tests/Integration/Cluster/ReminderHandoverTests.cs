using Xunit;

namespace Actors.Tests.Integration.Cluster;

/// <summary>Silos come and go; every grain is still reminded once a period, by whoever has its hash now.</summary>
public sealed class ReminderHandoverTests(ClusterDatabase database) : IClassFixture<ClusterDatabase>
{
    [Fact]
    public async Task Every_reminder_ticks_once_a_period_while_silos_join_and_leave()
    {
        await using var cluster = new RemindedCluster(database.Orleans);
        var first = await cluster.StartSiloAsync();
        var grains = Enumerable.Range(0, 60).Select(_ => cluster.NewGrain()).ToList();
        await Task.WhenAll(grains.Select(grain => grain.Remind("cutoff")));
        var reminders = grains.Select(grain => (Grain: grain.GetGrainId(), Name: "cutoff")).ToList();
        AssertTicks(1, await cluster.TickAsync(reminders));

        var second = await cluster.StartSiloAsync();
        await HeldByAsync(first, second);
        AssertTicks(2, await cluster.TickAsync(reminders));

        var leaving = cluster.StopSiloAsync(first);
        var third = await cluster.StartSiloAsync();
        await leaving;
        await HeldByAsync(second, third);
        AssertTicks(3, await cluster.TickAsync(reminders));

        await cluster.StopSiloAsync(second);
        await HeldByAsync(third);
        AssertTicks(4, await cluster.TickAsync(reminders));

        Task HeldByAsync(params RemindedCluster.RunningSilo[] silos) => cluster.Watch.UntilAsync(
            "these silos and no others keep all reminders",
            state => reminders.All(reminder => state.IsArmedOnce(reminder.Grain, reminder.Name))
                && state.Timers.Select(timer => timer.Port).ToHashSet().SetEquals(silos.Select(silo => silo.Port)));

        void AssertTicks(int count, ReminderWatch.State state) => Assert.All(
            reminders, reminder => Assert.Equal(count, state.TicksOf(reminder.Grain, reminder.Name).Count()));
    }

    [Fact]
    public async Task A_silo_that_was_killed_and_starts_again_on_its_ports_replaces_itself_and_has_its_reminders()
    {
        await using var cluster = new RemindedCluster(database.Orleans);
        await using var tables = await OrleansTables.OpenAsync(database.Orleans, cluster.Id, cluster.Id);
        var ports = RemindedCluster.FreePorts();
        var killed = SomeSilo.Entry(SiloStatus.Active);
        killed.SiloAddress = SomeSilo.Address(port: ports.Silo);
        await tables.Membership.InsertAsync(killed);
        var grain = GrainId.Create(GrainType.Create("reminded"), GrainIdKeyExtensions.CreateGuidKey(Guid.NewGuid()));
        await tables.Reminders.UpsertRow(SomeReminder.Entry(grain, "cutoff"));

        await cluster.StartSiloAsync(ports);
        var state = await cluster.TickAsync([(grain, "cutoff")]);

        Assert.Single(state.TicksOf(grain, "cutoff"));
        Assert.Equal(SiloStatus.Dead, (await tables.Membership.SingleAsync(killed.SiloAddress)).Status);
    }
}
