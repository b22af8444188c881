using Actors.Grains.Cutoffs;
using Actors.Silo.Doctor;
using Actors.Tests.Support;
using NodaTime;
using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Cutoffs;

public sealed class TimeZoneComparisonTests
{
    private static readonly Instant From = Instant.FromUtc(2026, 9, 1, 0, 0);

    [Fact]
    public async Task Zones_of_fixed_or_settled_offsets_agree()
    {
        var report = await CompareAsync("UTC", "Australia/Brisbane", "Asia/Tokyo", "Europe/London", "Europe/Kiev");

        Assert.True(report.Agrees);
        Assert.Equal(["Asia/Tokyo", "Australia/Brisbane", "Europe/Kiev", "Europe/London", "UTC"], report.Compared);
        Assert.Equal(ZoneCatalogue.TzdbVersion, report.TzdbVersion);
        Assert.Matches("^[0-9]+", report.PostgresVersion);
        Assert.Equal((From, From + Duration.FromDays(400)), (report.From, report.Until));
    }

    [Fact]
    public async Task No_zones_in_use_have_nothing_to_differ_in()
    {
        var report = await CompareAsync();

        Assert.True(report.Agrees);
        Assert.Empty(report.Compared);
    }

    [Fact]
    public async Task A_zone_named_twice_is_compared_once() =>
        Assert.Equal(["UTC"], (await CompareAsync("UTC", "UTC")).Compared);

    [Fact]
    public async Task A_zone_that_either_side_does_not_know_is_named_and_the_others_are_compared()
    {
        var report = await CompareAsync("America/Honolulu", "Asia/Tokyo", "UTC+10", "posix/Asia/Tokyo", "Nonsense5");

        Assert.False(report.Agrees);
        Assert.Equal(["Asia/Tokyo"], report.Compared);
        Assert.Equal(["America/Honolulu", "Nonsense5", "UTC+10", "posix/Asia/Tokyo"], report.UnknownToNodaTime);
        Assert.Subset(new HashSet<string>(report.UnknownToPostgres) { "posix/Asia/Tokyo" },
            new HashSet<string> { "America/Honolulu", "Nonsense5", "UTC+10" });
    }

    [Fact]
    public async Task A_name_that_PostgreSQL_takes_for_an_abbreviation_differs_in_summer_and_says_why()
    {
        Assert.Equal(Offset.FromHours(2), ZoneCatalogue.Find("CET")!.GetUtcOffset(From));

        var report = await CompareAsync("CET");

        var difference = Assert.Single(report.Differences);
        Assert.Equal("CET", difference.Zone);
        Assert.True(difference.ReadAsAbbreviation);
        Assert.Equal(From, difference.First);
        Assert.Equal((Offset.FromHours(2), Offset.FromHours(1)), (difference.NodaTime, difference.Postgres));
        Assert.Equal(SummerTime("CET"), difference.Total);
    }

    [Fact]
    public async Task Casablanca_is_told_from_the_first_instant_at_which_the_releases_differ()
    {
        const string zone = "Africa/Casablanca";
        var premise = await FirstDifferenceHourByHourAsync(zone);

        var report = await CompareAsync(zone, "Asia/Tokyo");

        // With a PostgreSQL of the same tz release as NodaTime's nothing differs, and nothing must be told.
        Assert.Equal(premise is null, report.Agrees);
        Assert.Equal(premise, report.Differences.SingleOrDefault()?.First);
        foreach (var difference in report.Differences)
        {
            Assert.Equal(zone, difference.Zone);
            Assert.False(difference.ReadAsAbbreviation);
            Assert.NotEqual(difference.NodaTime, difference.Postgres);
            Assert.InRange(difference.Total, Duration.FromHours(1), difference.Until - difference.First);
        }
    }

    [Fact]
    public void Every_clock_change_from_2024_on_stands_on_the_grid_of_quarter_hours_that_is_compared()
    {
        var span = new Interval(Instant.FromUtc(2024, 1, 1, 0, 0), Instant.FromUtc(2040, 1, 1, 0, 0));

        Assert.All(ZoneCatalogue.Names, name => Assert.All(
            ZoneCatalogue.Find(name)!.GetZoneIntervals(span).Skip(1),
            stretch => Assert.Equal(0, stretch.Start.ToUnixTimeSeconds() % (15 * 60))));
    }

    private static async Task<TimeZoneReport> CompareAsync(params string[] zones)
    {
        await using var database = await TestDatabase.CreateEmptyAsync();
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        return await TimeZoneComparison.CompareAsync(source, zones, From, CancellationToken.None);
    }

    private static Duration SummerTime(string zone)
    {
        var until = From + TimeZoneComparison.Span;
        return ZoneCatalogue.Find(zone)!.GetZoneIntervals(new Interval(From, until))
            .Where(stretch => stretch.Savings != Offset.Zero)
            .Select(stretch => Instant.Min(stretch.End, until) - Instant.Max(stretch.Start, From))
            .Aggregate(Duration.Zero, (total, length) => total + length);
    }

    /// <summary>The same question put to PostgreSQL in another way: by its wall clock, hour by hour.</summary>
    private static async Task<Instant?> FirstDifferenceHourByHourAsync(string zone)
    {
        await using var database = await TestDatabase.CreateEmptyAsync();
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        await using var command = source.CreateCommand(
            """
            SELECT hour, to_char(to_timestamp(hour) AT TIME ZONE @zone, 'YYYY-MM-DD HH24:MI')
            FROM generate_series(@start, @end, 3600) AS hour ORDER BY hour
            """);
        command.Parameters.AddWithValue("zone", zone);
        command.Parameters.AddWithValue("start", From.ToUnixTimeSeconds());
        command.Parameters.AddWithValue("end", (From + TimeZoneComparison.Span).ToUnixTimeSeconds() - 1);
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            var hour = Instant.FromUnixTimeSeconds(reader.GetInt64(0));
            var local = hour.InZone(ZoneCatalogue.Find(zone)!).LocalDateTime;
            if (reader.GetString(1) != $"{local:uuuu-MM-dd HH:mm}") return hour;
        }

        return null;
    }
}
