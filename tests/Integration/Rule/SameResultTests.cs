using System.Collections.Concurrent;
using Actors.Grains.Cutoffs;
using CsCheck;
using Xunit;

namespace Actors.Tests.Integration.Rule;

/// <summary>The rule stands twice, in C# and in SQL. Here both are held to be one.</summary>
public sealed class SameResultTests(ITestOutputHelper output)
{
    private const int DataSets = 1_000;
    private const int AtOnce = 2;

    private readonly ConcurrentDictionary<string, int> seen = new();

    [Fact]
    public async Task Update_installment_statuses_and_the_grain_give_the_same_result_on_1000_random_data_sets()
    {
        var zones = await AgreedZonesAsync();
        var idle = new ConcurrentBag<TwoPaths>();
        for (var n = 0; n < AtOnce; n++) idle.Add(await TwoPaths.CreateAsync([.. zones[true], .. zones[false]]));
        try
        {
            await RandomDataSet.In(zones).SampleAsync(
                async data =>
                {
                    Assert.True(idle.TryTake(out var paths));
                    try
                    {
                        await CompareAsync(paths, data);
                    }
                    finally
                    {
                        await paths.ClearAsync();
                        idle.Add(paths);
                    }
                },
                iter: DataSets,
                threads: AtOnce);
        }
        finally
        {
            foreach (var paths in idle) await paths.DisposeAsync();
        }

        output.WriteLine($"{zones[true].Count()} zones that change their clocks, {zones[false].Count()} others. "
            + string.Join(", ", seen.OrderBy(entry => entry.Key).Select(entry => $"{entry.Key} {entry.Value:N0}")));
        // Without these the data would have shown little.
        Assert.All(
            [
                "agencies paused", "agencies new", "sets asked for", "sets in which nothing was marked",
                "runs that served", "runs beside", "runs once", "runs shifted", "runs later_of_two", "runs that marked",
                "failures taken over",
            ],
            what => Assert.True(seen.GetValueOrDefault(what) >= 3, $"{what}: {seen.GetValueOrDefault(what)}"));
    }

    private static async Task<ILookup<bool, string>> AgreedZonesAsync()
    {
        await using var database = await RuleDatabase.CreateAsync();
        await using var source = NodaSource.Connect(database);
        var zones = await NodaSource.AgreedZonesAsync(source, RandomDataSet.Span);
        Assert.True(zones.Count > 400, $"Only {zones.Count} zones agree.");
        return zones.ToLookup(name => ZoneCatalogue.Find(name)!.GetZoneIntervals(RandomDataSet.Span).Skip(1).Any());
    }

    private async Task CompareAsync(TwoPaths paths, RandomDataSet data)
    {
        await paths.FillAsync(data);
        var sql = await paths.ThroughSqlAsync(data);
        var marker = await paths.ThroughMarkerAsync(data);

        Assert.Equal(marker.Tables, sql.Tables);
        Assert.Equal(marker.Marked.OrderBy(entry => entry.Key), sql.Marked.OrderBy(entry => entry.Key));
        // What SQL has served it leaves to a silo to compute the next cutoff of; what it leaves standing is right.
        foreach (var (theirs, ours) in sql.Next.Zip(marker.Next))
        {
            if (!theirs.EndsWith("  ", StringComparison.Ordinal)) Assert.Equal(ours, theirs);
        }

        Count(data, sql);
    }

    private void Count(RandomDataSet data, PathResult result)
    {
        Add("sets", true);
        Add("sets asked for", data.Asked);
        Add("sets in which nothing was marked", result.Marked.Values.Sum() == 0);
        foreach (var agency in data.Agencies)
        {
            Add("agencies", true);
            Add("agencies paused", agency.paused_at is not null);
            Add("agencies new", agency.last_cutoff_date is null);
            Add("failures taken over", agency is { failed_attempts: > 0, failed_serves: true, paused_at: null });
        }

        foreach (var run in result.Tables.Where(line => line.StartsWith("run ", StringComparison.Ordinal)))
        {
            Add("runs that served", run.Contains("serves t, ", StringComparison.Ordinal));
            Add("runs beside", run.Contains("serves f, ", StringComparison.Ordinal));
            Add("runs that marked", !run.Contains("[]", StringComparison.Ordinal));
            foreach (var word in new[] { "once", "shifted", "later_of_two" })
                Add($"runs {word}", run.Contains($" {word} ", StringComparison.Ordinal));
        }

        void Add(string what, bool holds) =>
            seen.AddOrUpdate(what, holds ? 1 : 0, (_, count) => count + (holds ? 1 : 0));
    }
}
