using Microsoft.Extensions.DependencyInjection;
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
    public async Task A_cluster_that_starts_again_keeps_its_reminders_and_does_not_wait_for_silos_long_gone()
    {
        await using var cluster = new RemindedCluster(database.Orleans);
        await using var tables = await OrleansTables.OpenAsync(database.Orleans, cluster.Id, cluster.Id);
        await tables.Membership.InsertAsync(SomeSilo.Entry(SiloStatus.Active));
        await tables.Membership.InsertAsync(SomeSilo.Entry(SiloStatus.Active, "::1"));
        await database.ExecuteAsync(
            $"""
             UPDATE orleans.silos
             SET i_am_alive_time = now() - interval '2 minutes', start_time = now() - interval '1 hour'
             WHERE cluster_id = '{cluster.Id}'
             """);
        var grain = GrainId.Create(GrainType.Create("reminded"), GrainIdKeyExtensions.CreateGuidKey(Guid.NewGuid()));
        var entry = SomeReminder.Entry(grain, "cutoff");
        await tables.Reminders.UpsertRow(entry);

        var silo = await cluster.StartSiloAsync();
        var state = await cluster.TickAsync([(grain, "cutoff")]);

        Assert.Single(state.TicksOf(grain, "cutoff"));
        var status = silo.Host.Services.GetRequiredService<ISiloStatusOracle>().CurrentStatus;
        Assert.Equal(SiloStatus.Active, status);
    }
}
