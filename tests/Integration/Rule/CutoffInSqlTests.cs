using Actors.Grains.Cutoffs;
using Actors.Grains.Jobs;
using NodaTime;
using NodaTime.Text;
using NodaTime.TimeZones;
using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Rule;

/// <summary>
/// `cutoff_in_sql` gives the instant and the word that <see cref="CutoffClock"/> gives, wherever both tz releases give
/// the zone the same offsets.
/// </summary>
public sealed class CutoffInSqlTests(ITestOutputHelper output)
{
    private const string CutoffsSql =
        """
        SELECT q.zone, q.date, t.cutoff, c.cutoff_at, c.resolution
        FROM unnest(@zones, @dates) AS q (zone, date), unnest(@times) AS t (cutoff),
             cutoff_in_sql(q.date, t.cutoff, q.zone) AS c
        """;

    /// <summary>At which quarters of an hour the offsets differ, in the three days around a date.</summary>
    private const string DifferencesSql =
        """
        SELECT count(*)
        FROM unnest(@epochs, @offsets) AS o (epoch, nodatime)
        WHERE date_part('epoch', to_timestamp(o.epoch) AT TIME ZONE @zone)::bigint - o.epoch <> o.nodatime
        """;

    private static readonly LocalTime[] AwkwardTimes =
    [
        LocalTime.Midnight, new(0, 0, 1), new(0, 30), new(1, 0), new(1, 30), new(1, 59, 59), new(2, 0), new(2, 15),
        new(2, 30), new(2, 59, 59), new(3, 0), new(17, 0), new(23, 0), new(23, 59, 59),
    ];

    [Fact]
    public async Task It_agrees_with_the_clock_on_every_clock_change_of_2020_to_2030_in_every_shared_zone()
    {
        await using var database = await RuleDatabase.CreateAsync();
        await using var source = NodaSource.Connect(database);
        var days = (await NodaSource.SharedZonesAsync(source)).SelectMany(ChangeDays).ToList();

        var compared = 0;
        var words = new Dictionary<string, int>();
        var different = new HashSet<(string Zone, LocalDate Date)>();
        foreach (var chunk in days.Chunk(4_000))
        {
            foreach (var (zone, cutoff, time, word) in await CutoffsAsync(source, chunk))
            {
                compared++;
                words[word] = words.GetValueOrDefault(word) + 1;
                var expected = new CutoffClock(ZoneCatalogue.Find(zone)!, time).On(cutoff.Date);
                if (expected.At != cutoff.At || RunWords.Of(expected.Resolution) != word)
                    different.Add((zone, cutoff.Date));
            }
        }

        foreach (var (zone, date) in different)
        {
            var offsets = await DifferingOffsetsAsync(source, zone, date);
            Assert.True(offsets > 0, $"{zone} {date:uuuu-MM-dd}: the cutoffs differ, and the offsets do not.");
        }

        output.WriteLine($"{compared:N0} cutoffs on {days.Count:N0} days; left out, as the offsets differ: "
            + string.Join(", ", different.GroupBy(d => d.Zone).Select(g => $"{g.Key} ({g.Count()} days)"))
            + $". Words: {string.Join(", ", words.Select(w => $"{w.Key} {w.Value:N0}"))}.");
        Assert.True(compared > 50_000, $"Only {compared} cutoffs were compared.");
        Assert.True(different.Count < days.Count / 10, $"{different.Count} of {days.Count} days were left out.");
        Assert.Superset(new HashSet<string> { "once", "shifted", "later_of_two" }, words.Keys.ToHashSet());
    }

    [Theory]
    [InlineData("Pacific/Apia", "2011-12-29", "17:00", "2011-12-30T03:00:00Z", "once")]
    [InlineData("Pacific/Apia", "2011-12-30", "00:00", "2011-12-30T10:00:00Z", "date_absent")]
    [InlineData("Pacific/Apia", "2011-12-30", "17:00", "2011-12-31T03:00:00Z", "date_absent")]
    [InlineData("Pacific/Apia", "2011-12-30", "23:59:59", "2011-12-31T09:59:59Z", "date_absent")]
    [InlineData("Pacific/Apia", "2011-12-31", "17:00", "2011-12-31T03:00:00Z", "once")]
    [InlineData("Australia/Lord_Howe", "2026-10-04", "01:59:59", "2026-10-03T15:29:59Z", "once")]
    [InlineData("Australia/Lord_Howe", "2026-10-04", "02:15", "2026-10-03T15:45:00Z", "shifted")]
    [InlineData("Australia/Lord_Howe", "2026-10-04", "02:30", "2026-10-03T15:30:00Z", "once")]
    [InlineData("Australia/Lord_Howe", "2026-04-05", "01:29:59", "2026-04-04T14:29:59Z", "once")]
    [InlineData("Australia/Lord_Howe", "2026-04-05", "01:45", "2026-04-04T15:15:00Z", "later_of_two")]
    [InlineData("America/New_York", "2024-03-10", "02:30", "2024-03-10T07:30:00Z", "shifted")]
    [InlineData("America/New_York", "2024-11-03", "01:30", "2024-11-03T06:30:00Z", "later_of_two")]
    [InlineData("America/New_York", "2024-11-03", "02:00", "2024-11-03T07:00:00Z", "once")]
    [InlineData("America/Santiago", "2019-09-08", "00:00", "2019-09-08T04:00:00Z", "shifted")]
    [InlineData("Asia/Beirut", "2023-03-26", "00:00", "2023-03-25T22:00:00Z", "shifted")]
    [InlineData("Antarctica/Troll", "2025-03-30", "02:00", "2025-03-30T02:00:00Z", "shifted")]
    public async Task Named_cases_have_the_instant_and_the_word_of_the_clock(
        string zone, string date, string time, string instant, string word)
    {
        await using var database = await RuleDatabase.CreateAsync();
        await using var source = NodaSource.Connect(database);
        var day = LocalDatePattern.Iso.Parse(date).Value;
        var cutoffTime = LocalTimePattern.ExtendedIso.Parse(time.Length == 5 ? time + ":00" : time).Value;
        var clocks = new CutoffClock(ZoneCatalogue.Find(zone)!, cutoffTime).On(day);
        Assert.Equal((instant, word), (clocks.At.ToString(), RunWords.Of(clocks.Resolution)));

        await using var command = source.CreateCommand("SELECT cutoff_at, resolution FROM cutoff_in_sql($1, $2, $3)");
        foreach (var value in new object[] { day, cutoffTime, zone }) command.Parameters.Add(new() { Value = value });
        await using var reader = await command.ExecuteReaderAsync();
        Assert.True(await reader.ReadAsync());
        Assert.Equal((instant, word), (reader.GetFieldValue<Instant>(0).ToString(), reader.GetString(1)));
    }

    /// <summary>The local dates at both ends of each clock change, and the one after; a date is named once.</summary>
    private static IEnumerable<(string Zone, LocalDate Date)> ChangeDays(string name)
    {
        var span = new Interval(Instant.FromUtc(2020, 1, 1, 0, 0), Instant.FromUtc(2031, 1, 1, 0, 0));
        return ZoneCatalogue.Find(name)!.GetZoneIntervals(span)
            .Where(stretch => stretch.HasStart && stretch.Start > span.Start)
            .SelectMany(stretch => Dates(ZoneCatalogue.Find(name)!, stretch))
            .Distinct()
            .Select(date => (name, date));
    }

    private static IEnumerable<LocalDate> Dates(DateTimeZone zone, ZoneInterval stretch)
    {
        var after = stretch.IsoLocalStart.Date;
        return [(stretch.Start - Duration.Epsilon).InZone(zone).Date, after, after.PlusDays(1)];
    }

    private static async Task<List<(string Zone, (LocalDate Date, Instant At) Cutoff, LocalTime Time, string Word)>>
        CutoffsAsync(NpgsqlDataSource source, (string Zone, LocalDate Date)[] days)
    {
        await using var command = source.CreateCommand(CutoffsSql);
        command.Parameters.AddWithValue("zones", days.Select(day => day.Zone).ToArray());
        command.Parameters.AddWithValue("dates", days.Select(day => day.Date).ToArray());
        command.Parameters.AddWithValue("times", AwkwardTimes);
        await using var reader = await command.ExecuteReaderAsync();
        var cutoffs = new List<(string, (LocalDate, Instant), LocalTime, string)>();
        while (await reader.ReadAsync())
        {
            cutoffs.Add((
                reader.GetString(0),
                (reader.GetFieldValue<LocalDate>(1), reader.GetFieldValue<Instant>(3)),
                reader.GetFieldValue<LocalTime>(2),
                reader.GetString(4)));
        }

        return cutoffs;
    }

    private static async Task<long> DifferingOffsetsAsync(NpgsqlDataSource source, string name, LocalDate date)
    {
        var zone = ZoneCatalogue.Find(name)!;
        var start = date.PlusDays(-2).AtStartOfDayInZone(DateTimeZone.Utc).ToInstant();
        var instants = Enumerable.Range(0, 5 * 96).Select(n => start + Duration.FromMinutes(15 * n)).ToArray();
        await using var command = source.CreateCommand(DifferencesSql);
        command.Parameters.AddWithValue("zone", name);
        command.Parameters.AddWithValue("epochs", instants.Select(instant => instant.ToUnixTimeSeconds()).ToArray());
        command.Parameters.AddWithValue("offsets", instants.Select(i => (long)zone.GetUtcOffset(i).Seconds).ToArray());
        return (long)(await command.ExecuteScalarAsync())!;
    }
}
