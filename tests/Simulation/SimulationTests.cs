using System.Collections.Concurrent;
using Xunit;

namespace Actors.Tests.Simulation;

/// <summary>
/// A dozen worlds in which everything goes wrong that can. What holds in each of them is looked at after every commit,
/// before the clock goes on, and for the whole database once a day: see Oracle/.
/// </summary>
public sealed class SimulationTests(WorldServers servers) : IClassFixture<WorldServers>
{
    private const ulong FirstSeed = 1;
    private const int Worlds = 12;

    /// <summary>What the dozen must have met, or it proves less than it says.</summary>
    private static readonly string[] Faults =
    [
        "a commit's answer is lost", "a connection is cut before a statement", "a grain lives twice", "a nudge is lost",
        "a silo dies between statements", "a silo dies of a commit", "a silo is frozen", "a silo is killed",
        "a statement fails", "a statement is delayed", "a statement's answer is lost", "a storm",
        "a tick comes a little early", "a tick comes late", "a tick comes much too early", "a tick comes twice",
        "a tick is lost", "all silos are killed", "an agency is poisoned", "somebody holds rows",
        "the database is away", "the watchdog serves", "two coordinators",
    ];

    [Fact]
    public async Task Whatever_goes_wrong_every_date_is_served_once_never_early_and_never_lost()
    {
        var reports = new ConcurrentBag<Report>();
        var violations = new ConcurrentBag<string>();
        await Parallel.ForEachAsync(
            Enumerable.Range(0, Worlds).Select(index => new WorldSettings(FirstSeed + (ulong)index)),
            new ParallelOptions { MaxDegreeOfParallelism = WorldServers.AtOnce },
            async (world, _) =>
            {
                try
                {
                    reports.Add(await servers.RunAsync(world));
                }
                catch (InvalidOperationException violation)
                {
                    violations.Add(violation.Message);
                }
            });

        Assert.True(violations.IsEmpty, string.Join("\n\n", violations));
        var met = reports.SelectMany(report => report.Faults.Keys).ToHashSet();
        Assert.True(met.IsSupersetOf(Faults), "never met: " + string.Join(", ", Faults.Except(met)));
        // Most cutoffs are served by their own reminders, and not by the sweep that finds what reminders left.
        Assert.InRange(reports.Sum(report => report.OnTime), reports.Sum(report => report.Cutoffs) / 2, int.MaxValue);
        Assert.All(reports, report => Assert.True(report.Marked > 100, $"{report} marks next to nothing"));
    }

    [Fact]
    public async Task A_seed_is_the_same_world_to_the_last_statement_alone_and_beside_others()
    {
        var world = new WorldSettings(Seed: 4_701, Agencies: 6, Days: 4);

        var first = await servers.RunAsync(world);
        // Where the environment names a server, a world is the same only while no other is on it.
        var beside = Math.Min(5, WorldServers.AtOnce - 1);
        var reports = await Task.WhenAll(Enumerable.Range(0, 1 + beside)
            .Select(more => servers.RunAsync(world with { Seed = world.Seed + (ulong)more })));

        var second = reports[0];
        Assert.Equal((first.Digest, first.Steps, first.Marked), (second.Digest, second.Steps, second.Marked));
        Assert.All(reports.Skip(1), other => Assert.NotEqual(first.Digest, other.Digest));
    }
}
