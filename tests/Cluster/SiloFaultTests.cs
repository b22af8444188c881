using Actors.Silo.CommandLine;
using Xunit;

namespace Actors.Tests.Cluster;

/// <summary>Silos that stop, die, freeze and come back, while cutoffs pass.</summary>
public sealed class SiloFaultTests(FaultWorlds worlds, ITestOutputHelper output) : FaultTest(worlds)
{
    [Fact]
    public async Task Silos_that_are_restarted_one_after_the_other_lose_nothing()
    {
        var schedule = await World.ArmAsync(agencies: 90, seconds: 12);
        await schedule.PassedAsync(0.2);
        await schedule.FaultBeginsAsync();
        foreach (var silo in World.Living) await World.ReplaceAsync(silo);

        output.WriteLine($"Rolling restart of 3 silos: {await schedule.RequireServedAsync(Promise.Handover)}.");
    }

    [Theory]
    [InlineData(Within.Statement)]
    [InlineData(Within.Commit)]
    public async Task A_silo_killed_in_the_middle_of_a_batch_has_marked_all_of_it_or_nothing(Within place)
    {
        await World.EnsureSilosAsync();
        await using var held = await HeldBatches.PrepareAsync(World.Database, place);
        var silos = World.Living;
        var schedule = await World.ArmAsync(agencies: 90, seconds: 0, held: () => held.HoldAsync(silos));
        var killed = await held.FirstAsync(silos);
        await schedule.FaultBeginsAsync();
        await killed.KillAsync();
        await held.ReleaseAsync();

        var late = await schedule.RequireServedAsync(Promise.DeadSilo);
        output.WriteLine($"kill -9 of 1 silo of 3, its batch within its {place}: {late}.");
    }

    [Fact]
    public async Task A_frozen_silo_is_given_up_and_ends_when_it_comes_back()
    {
        var schedule = await World.ArmAsync(agencies: 120, seconds: 14);
        await schedule.PassedAsync(0.1);
        var frozen = World.Living[0];
        var dead = await World.DeadSilosAsync();
        await schedule.FaultBeginsAsync();
        await frozen.FreezeAsync();
        await Support.Eventually.HoldsAsync("the frozen silo is declared dead", TimeSpan.FromMinutes(1), async () =>
            await World.DeadSilosAsync() > dead);
        await frozen.ThawAsync();
        Assert.True(await frozen.EndAsync() == (int)ExitCode.Expelled, frozen.Said);
        Assert.Contains("have declared this one dead", frozen.Said, StringComparison.Ordinal);

        output.WriteLine($"SIGSTOP and SIGCONT of 1 silo of 3: {await schedule.RequireServedAsync(Promise.DeadSilo)}.");
    }

    [Fact]
    public async Task Silos_whose_clocks_are_wrong_mark_nothing_early_and_say_so()
    {
        var wrong = TimeSpan.FromMinutes(10);
        await using var ahead = SiloProcess.Start(World.Database.SiloConnectionString, clockAhead: wrong);
        await using var behind = SiloProcess.Start(World.Database.SiloConnectionString, clockAhead: -wrong);
        await World.EnsureSilosAsync();
        await ahead.SaysAsync("600 s ahead of the");
        await behind.SaysAsync("600 s behind the");
        // By what the membership reads they have come in ten minutes, and had come ten minutes ago.
        Assert.Equal(["10 t f", "-10 f t"], await World.Database.ListAsync<string>(
            """
            SELECT concat_ws(' ', round(extract(epoch FROM i_am_alive_time - clock_timestamp()) / 60),
              start_time > clock_timestamp() + interval '5 minutes',
              start_time < clock_timestamp() - interval '5 minutes')
            FROM orleans.silos
            WHERE status = 3 AND abs(extract(epoch FROM i_am_alive_time - clock_timestamp())) > 60
            ORDER BY i_am_alive_time DESC
            """));
        var schedule = await World.ArmAsync(agencies: 90, seconds: 10);
        // Neither suspects a silo that comes, whose start is long ago, or in time to come, by its own clock.
        var dead = await World.DeadSilosAsync();
        var living = World.Living;
        await World.ReplaceAsync(living[0]);
        Assert.Equal(dead + 1, await World.DeadSilosAsync());
        Assert.All(living.Skip(1), silo => Assert.False(silo.HasEnded, silo.Said));
        await schedule.PassedAsync(0.3);
        // What it has armed ticks on silos whose clocks are right, and the other way round.
        await ahead.KillAsync();

        output.WriteLine($"Clocks 10 min ahead and behind: {await schedule.RequireServedAsync()}.");
        Assert.False(behind.HasEnded, behind.Said);
        await behind.TerminateAsync();
    }
}
