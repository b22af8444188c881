using NodaTime;
using NodaTime.Text;
using Xunit;

namespace Actors.Tests.Simulation.Oracle;

/// <summary>The judge is judged first: its own rule of when, on instants that PostgreSQL gave.</summary>
public sealed class RuleByHandTests
{
    [Theory]
    [InlineData("America/New_York", "2024-03-10", "02:30", "2024-03-10T07:30:00Z", "shifted")]
    [InlineData("America/New_York", "2024-11-03", "01:30", "2024-11-03T06:30:00Z", "later_of_two")]
    [InlineData("America/New_York", "2024-11-03", "02:00", "2024-11-03T07:00:00Z", "once")]
    [InlineData("Europe/Dublin", "2024-03-31", "01:30", "2024-03-31T01:30:00Z", "shifted")]
    [InlineData("Australia/Lord_Howe", "2019-10-06", "02:15", "2019-10-05T15:45:00Z", "shifted")]
    [InlineData("America/Santiago", "2019-09-08", "00:00", "2019-09-08T04:00:00Z", "shifted")]
    [InlineData("Asia/Beirut", "2023-03-26", "00:00", "2023-03-25T22:00:00Z", "shifted")]
    [InlineData("Antarctica/Troll", "2025-03-30", "02:00", "2025-03-30T02:00:00Z", "shifted")]
    [InlineData("Pacific/Apia", "2011-12-30", "17:00", "2011-12-31T03:00:00Z", "date_absent")]
    [InlineData("America/St_Johns", "2025-03-09", "02:15", "2025-03-09T05:45:00Z", "shifted")]
    public void A_cutoff_is_the_latest_instant_that_shows_its_time(
        string zone, string date, string time, string at, string word)
    {
        var rule = RuleByHand.Of(zone, LocalTimePattern.CreateWithInvariantCulture("HH:mm").Parse(time).Value)!;
        var day = LocalDatePattern.Iso.Parse(date).Value;
        var instant = InstantPattern.General.Parse(at).Value;

        Assert.Equal((instant, word), rule.On(day));
        Assert.True(rule.LastPassed(instant) >= day);
        Assert.True(rule.LastPassed(instant - Duration.Epsilon) < day);
    }

    [Fact]
    public void A_zone_that_nobody_knows_has_no_rule() =>
        Assert.Null(RuleByHand.Of("Mars/Olympus_Mons", LocalTime.Noon));
}
