using System.Collections.Concurrent;
using Actors.Grains.Cutoffs;
using Actors.Tests.Support;
using NodaTime;
using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Cutoffs;

/// <summary>
/// Every zone that NodaTime and PostgreSQL share, every day of 2020 to 2030, 24 cutoff times. Weeks are compared by
/// sums. Where a week's sums differ, its cutoffs are compared one by one, and each that differs must stand within a day
/// of an instant at which the two give the zone different offsets: then, and only then, it is left out.
/// </summary>
public sealed class EveryZoneEveryDayTests(ITestOutputHelper output)
{
    private const int Connections = 2;
    private const long Day = 24 * 60 * 60;

    [Fact]
    public async Task Every_cutoff_of_2020_to_2030_is_that_of_PostgreSQL_where_both_give_the_zone_the_same_offsets()
    {
        await using var database = await TestDatabase.CreateEmptyAsync();
        await using var source = Connect(database);
        var postgres = new PostgresClock(source);
        var names = (await postgres.ZoneNamesAsync()).ToHashSet();
        var shared = ZoneCatalogue.Names.Where(names.Contains).Order(StringComparer.Ordinal).ToList();

        var found = new ConcurrentBag<ZoneResult>();
        await Parallel.ForEachAsync(
            shared,
            new ParallelOptions { MaxDegreeOfParallelism = Connections },
            async (zone, _) => found.Add(await CompareAsync(postgres, zone)));

        await PrintAsync(postgres, names, [.. found.OrderBy(result => result.Zone, StringComparer.Ordinal)]);
        Assert.True(shared.Count > 500, $"Only {shared.Count} zones are shared.");
        var failures = found.SelectMany(result => result.Failures).Order(StringComparer.Ordinal).ToList();
        Assert.True(failures.Count == 0, $"{failures.Count} weeks differ:\n{string.Join('\n', failures.Take(20))}");
        var leftOut = found.Sum(result => (double)result.LeftOut.Count) / shared.Count / EveryDay.Cutoffs;
        Assert.True(leftOut < 0.1, $"{leftOut:P0} of the cutoffs were left out: too many to have shown anything.");
    }

    private static NpgsqlDataSource Connect(TestDatabase database)
    {
        // Compiling costs more than it gains here: a plan is used once.
        var builder = new NpgsqlDataSourceBuilder(
            new NpgsqlConnectionStringBuilder(database.ConnectionString) { Options = "-c jit=off" }.ConnectionString);
        builder.UseNodaTime();
        return builder.Build();
    }

    private static async Task<ZoneResult> CompareAsync(PostgresClock postgres, string name)
    {
        var theirs = postgres.SumsAsync(name);
        var zone = ZoneCatalogue.Find(name)!;
        var cutoffs = EveryDay.CutoffsOf(zone);
        EveryDay.LastAndNextAgree(zone, new LocalTime(2, 30));
        EveryDay.LastAndNextAgree(zone, new LocalTime(17, 0));

        var sums = await theirs;
        Assert.Equal(EveryDay.Weeks, sums.Count);
        var weeks = Enumerable.Range(0, EveryDay.Weeks)
            .Where(week => sums[week] != WeekSums.Of(Week(cutoffs, week)))
            .ToList();
        if (weeks.Count == 0) return new ZoneResult(name, [], [], []);

        var different = (await postgres.CutoffsAsync(name, weeks))
            .Where(cutoff => cutoff.Seconds != cutoffs[cutoff.Index])
            .ToList();
        var disagreement = await DisagreementAsync(postgres, zone, cutoffs[0] - (3 * Day), cutoffs[^1] + (3 * Day));
        var failures = different
            .Where(cutoff => !disagreement.IsNear(cutoff.Seconds) && !disagreement.IsNear(cutoffs[cutoff.Index]))
            .GroupBy(cutoff => cutoff.Index / EveryDay.CutoffsPerWeek)
            .Select(week => Failure(name, week.Key, week.First(), cutoffs))
            .ToList();
        // Sums that differ over cutoffs that are all equal would mean that the sums are wrong.
        failures.AddRange(weeks
            .Except(different.Select(cutoff => cutoff.Index / EveryDay.CutoffsPerWeek))
            .Select(week => $"{name}, week {week}: the sums differ and no cutoff does."));
        return new ZoneResult(name, weeks, [.. different.Select(cutoff => cutoff.Index)], failures);
    }

    private static ReadOnlySpan<long> Week(long[] cutoffs, int week) =>
        cutoffs.AsSpan(week * EveryDay.CutoffsPerWeek, EveryDay.CutoffsPerWeek);

    private static string Failure(string zone, int week, (int Index, long Seconds) postgres, long[] cutoffs) =>
        $"{zone}, week {week}: the cutoff of {EveryDay.Describe(postgres.Index)} is "
        + $"{Instant.FromUnixTimeSeconds(cutoffs[postgres.Index])}, PostgreSQL says "
        + $"{Instant.FromUnixTimeSeconds(postgres.Seconds)}, and both give the zone the same offsets around it.";

    /// <summary>Where the two give the zone different offsets: looked for at every full quarter of an hour.</summary>
    private static async Task<Disagreement> DisagreementAsync(
        PostgresClock postgres, DateTimeZone zone, long start, long end)
    {
        const long step = 900;
        start = start / step * step;
        var theirs = await postgres.OffsetsAsync(zone.Id, start, end);
        var different = new List<long>();
        var position = 0;
        for (var seconds = start; seconds <= end; seconds += step)
        {
            while (position + 1 < theirs.Count && theirs[position + 1].Seconds <= seconds) position++;
            var ours = zone.GetUtcOffset(Instant.FromUnixTimeSeconds(seconds)).Seconds;
            if (ours != theirs[position].Offset) different.Add(seconds);
        }

        return new Disagreement(different);
    }

    private async Task PrintAsync(PostgresClock postgres, HashSet<string> names, IReadOnlyList<ZoneResult> found)
    {
        var abbreviations = (await postgres.AbbreviationsAsync()).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var differing = found.Where(result => result.LeftOut.Count > 0).ToList();
        var all = (long)found.Count * EveryDay.Cutoffs;
        var leftOut = differing.Sum(result => (long)result.LeftOut.Count);
        output.WriteLine($"NodaTime with TZDB {ZoneCatalogue.TzdbVersion}; PostgreSQL {await postgres.VersionAsync()}, "
            + $"which does not say its tz release (tzdata of this system: {SystemRelease()}).");
        output.WriteLine($"Cutoffs computed: {all:N0} ({found.Count} zones, {EveryDay.Days:N0} days, "
            + $"{EveryDay.Times.Length} cutoff times). Equal to AT TIME ZONE: {all - leftOut:N0}.");
        output.WriteLine($"Differing, and left out where the offsets differ within a day: {leftOut:N0} cutoffs in "
            + $"{differing.Sum(result => result.Weeks.Count):N0} of {(long)found.Count * EveryDay.Weeks:N0} weeks of "
            + $"{differing.Count} zones:");
        foreach (var result in differing)
        {
            output.WriteLine($"  {result.Zone}: {result.LeftOut.Count:N0} in {result.Weeks.Count} weeks, "
                + $"{EveryDay.Describe(result.LeftOut[0])} to {EveryDay.Describe(result.LeftOut[^1])}"
                + (abbreviations.Contains(result.Zone) ? " (AT TIME ZONE takes it for an abbreviation)" : ""));
        }

        var onlyNodaTime = ZoneCatalogue.Names.Where(name => !names.Contains(name));
        var onlyPostgres = names.Where(name => !name.Contains("posix", StringComparison.Ordinal)
            && !name.StartsWith("right/", StringComparison.Ordinal) && ZoneCatalogue.Find(name) is null);
        output.WriteLine($"Not shared: NodaTime alone has [{string.Join(", ", onlyNodaTime)}], PostgreSQL alone "
            + $"[{string.Join(", ", onlyPostgres)}], and its copies posix/… and right/….");
    }

    /// <summary>The release of the system's tzdata, which Debian's and Ubuntu's PostgreSQL use.</summary>
    private static string SystemRelease()
    {
        const string file = "/usr/share/zoneinfo/tzdata.zi";
        if (!File.Exists(file)) return "unknown";
        return File.ReadLines(file).First().Replace("# version ", "", StringComparison.Ordinal);
    }

    /// <param name="Zone">Its name.</param>
    /// <param name="Weeks">The weeks whose sums differ.</param>
    /// <param name="LeftOut">The cutoffs that differ, by their place in the grid.</param>
    /// <param name="Failures">What no difference of offsets explains, in words.</param>
    private sealed record ZoneResult(
        string Zone, IReadOnlyList<int> Weeks, IReadOnlyList<int> LeftOut, IReadOnlyList<string> Failures);

    /// <summary>The instants, in order, at which the offsets differ.</summary>
    private sealed class Disagreement(List<long> instants)
    {
        public bool IsNear(long seconds)
        {
            var place = instants.BinarySearch(seconds - Day);
            if (place < 0) place = ~place;
            return place < instants.Count && instants[place] <= seconds + Day;
        }
    }
}
