using Actors.Grains.Interfaces;
using NodaTime;
using Xunit;
using static Actors.Tests.Unit.Cutoffs.WallClock;

namespace Actors.Tests.Unit.Cutoffs;

/// <summary>
/// Cases collected from what other schedulers got wrong. Each checks its premise first, so that a new release of the
/// tz database that abolishes a clock change fails the premise and not the rule.
/// </summary>
public sealed class CutoffCasesTests
{
    [Theory]
    [InlineData("America/New_York", "2024-03-10", "02:30", "2024-03-10T07:30:00Z")]
    [InlineData("Europe/London", "2025-03-30", "01:30", "2025-03-30T01:30:00Z")]
    [InlineData("Europe/Berlin", "2025-03-30", "02:30", "2025-03-30T01:30:00Z")]
    [InlineData("Europe/Riga", "2021-03-28", "03:15", "2021-03-28T01:15:00Z")]
    [InlineData("Europe/Dublin", "2024-03-31", "01:30", "2024-03-31T01:30:00Z")]
    [InlineData("Australia/Sydney", "2024-10-06", "02:30", "2024-10-05T16:30:00Z")]
    [InlineData("Australia/Lord_Howe", "2019-10-06", "02:15", "2019-10-05T15:45:00Z")]
    [InlineData("America/Santiago", "2019-09-08", "00:00", "2019-09-08T04:00:00Z")]
    [InlineData("America/Santiago", "2026-09-06", "00:00", "2026-09-06T04:00:00Z")]
    [InlineData("America/Havana", "2024-03-10", "00:30", "2024-03-10T05:30:00Z")]
    [InlineData("Africa/Cairo", "2025-04-25", "00:00", "2025-04-24T22:00:00Z")]
    [InlineData("Asia/Beirut", "2023-03-26", "00:00", "2023-03-25T22:00:00Z")]
    [InlineData("Antarctica/Troll", "2025-03-30", "02:00", "2025-03-30T02:00:00Z")]
    [InlineData("America/Asuncion", "2024-10-06", "00:00", "2024-10-06T04:00:00Z")]
    [InlineData("America/St_Johns", "2025-03-09", "02:15", "2025-03-09T05:45:00Z")]
    [InlineData("Asia/Tehran", "2022-03-22", "00:30", "2022-03-21T21:00:00Z")]
    public void A_cutoff_that_is_skipped_is_shifted_forward(string zone, string date, string time, string expected)
    {
        Assert.True(Shows(Zone(zone), Date(date).At(Time(time))).Count == 0, "Premise: the zone skips that time.");
        Assert.True(ShowsDate(Zone(zone), Date(date)), "Premise: the zone has that date.");

        Assert.Equal(
            new Cutoff(Date(date), At(expected), CutoffResolution.Shifted), Clock(zone, time).On(Date(date)));
    }

    [Theory]
    [InlineData("America/New_York", "2024-11-03", "01:30", "2024-11-03T06:30:00Z")]
    [InlineData("Africa/Casablanca", "2025-02-23", "02:30", "2025-02-23T02:30:00Z")]
    [InlineData("Australia/Lord_Howe", "2025-04-06", "01:45", "2025-04-05T15:15:00Z")]
    [InlineData("Australia/Sydney", "2025-04-06", "02:30", "2025-04-05T16:30:00Z")]
    [InlineData("Europe/London", "2025-10-26", "01:30", "2025-10-26T01:30:00Z")]
    [InlineData("Europe/Dublin", "2024-10-27", "01:30", "2024-10-27T01:30:00Z")]
    [InlineData("America/Santiago", "2025-04-05", "23:30", "2025-04-06T03:30:00Z")]
    [InlineData("America/Santiago", "2025-04-05", "23:59:59", "2025-04-06T03:59:59Z")]
    [InlineData("America/St_Johns", "2010-11-06", "23:30", "2010-11-07T03:00:00Z")]
    public void Of_a_cutoff_that_happens_twice_the_later_counts(string zone, string date, string time, string expected)
    {
        Assert.True(Shows(Zone(zone), Date(date).At(Time(time))).Count == 2, "Premise: the zone repeats that time.");

        Assert.Equal(
            new Cutoff(Date(date), At(expected), CutoffResolution.LaterOfTwo), Clock(zone, time).On(Date(date)));
    }

    [Theory]
    [InlineData("America/New_York", "2024-11-03", "02:00", "2024-11-03T07:00:00Z")]
    [InlineData("Asia/Amman", "2022-10-28", "00:30", "2022-10-27T21:30:00Z")]
    [InlineData("America/Mexico_City", "2023-04-02", "02:30", "2023-04-02T08:30:00Z")]
    [InlineData("Etc/UTC", "2024-03-10", "02:30", "2024-03-10T02:30:00Z")]
    [InlineData("America/New_York", "2024-11-03", "02:30", "2024-11-03T07:30:00Z")]
    [InlineData("Europe/London", "2025-03-30", "02:30", "2025-03-30T01:30:00Z")]
    [InlineData("Europe/London", "2025-10-26", "02:30", "2025-10-26T02:30:00Z")]
    [InlineData("Australia/Brisbane", "2025-10-05", "23:59:59", "2025-10-05T13:59:59Z")]
    [InlineData("America/Santiago", "2025-09-06", "23:59:59", "2025-09-07T03:59:59Z")]
    [InlineData("Africa/Casablanca", "2025-02-22", "02:30", "2025-02-22T01:30:00Z")]
    [InlineData("Africa/Casablanca", "2025-02-24", "02:30", "2025-02-24T02:30:00Z")]
    [InlineData("Africa/Casablanca", "2025-04-07", "02:30", "2025-04-07T01:30:00Z")]
    public void A_cutoff_that_happens_once_is_that_instant(string zone, string date, string time, string expected)
    {
        Assert.True(Shows(Zone(zone), Date(date).At(Time(time))).Count == 1, "Premise: the zone has that time once.");

        Assert.Equal(new Cutoff(Date(date), At(expected), CutoffResolution.Once), Clock(zone, time).On(Date(date)));
    }

    [Theory]
    [InlineData("Pacific/Apia", "2011-12-30", "17:00", "2011-12-31T03:00:00Z")]
    [InlineData("Pacific/Apia", "2011-12-30", "00:00", "2011-12-30T10:00:00Z")]
    [InlineData("Pacific/Apia", "2011-12-30", "23:59:59", "2011-12-31T09:59:59Z")]
    [InlineData("Pacific/Fakaofo", "2011-12-30", "17:00", "2011-12-31T04:00:00Z")]
    [InlineData("Pacific/Kwajalein", "1993-08-21", "17:00", "1993-08-22T05:00:00Z")]
    [InlineData("Pacific/Kiritimati", "1994-12-31", "17:00", "1995-01-01T03:00:00Z")]
    public void A_date_that_does_not_exist_shares_the_cutoff_of_the_next(
        string zone, string date, string time, string expected)
    {
        Assert.False(ShowsDate(Zone(zone), Date(date)), "Premise: the zone skips that whole date.");
        var clock = Clock(zone, time);

        Assert.Equal(new Cutoff(Date(date), At(expected), CutoffResolution.DateAbsent), clock.On(Date(date)));
        Assert.Equal(
            new Cutoff(Date(date).PlusDays(1), At(expected), CutoffResolution.Once), clock.On(Date(date).PlusDays(1)));
        Assert.True(clock.On(Date(date).PlusDays(-1)).At < At(expected));
    }

    [Fact]
    public void When_Samoa_skips_a_day_both_dates_pass_at_one_instant()
    {
        var clock = Clock("Pacific/Apia", "17:00");
        var cutoff = At("2011-12-31T03:00:00Z");

        Assert.Equal(Date("2011-12-29"), clock.LastPassed(cutoff - Duration.Epsilon).Date);
        Assert.Equal(Date("2011-12-30"), clock.NextAfter(cutoff - Duration.Epsilon).Date);
        Assert.Equal(Date("2011-12-31"), clock.LastPassed(cutoff).Date);
        Assert.Equal(Date("2012-01-01"), clock.NextAfter(cutoff).Date);
    }

    [Fact]
    public void Where_the_local_date_runs_backwards_it_passes_once()
    {
        // In St John's the clock went from 00:01 on the 7th back to 23:01 on the 6th.
        var clock = Clock("America/St_Johns", "23:30");
        var firstPass = At("2010-11-07T02:30:30Z");
        Assert.Equal(Date("2010-11-07"), firstPass.InZone(Zone("America/St_Johns")).Date);
        Assert.Equal(Date("2010-11-06"), (firstPass + Duration.FromMinutes(1)).InZone(Zone("America/St_Johns")).Date);

        Assert.Equal(Date("2010-11-05"), clock.LastPassed(firstPass).Date);
        Assert.Equal(new Cutoff(Date("2010-11-06"), At("2010-11-07T03:00:00Z"), CutoffResolution.LaterOfTwo),
            clock.NextAfter(firstPass));
    }

    [Theory]
    [InlineData("Europe/Kiev", "Europe/Kyiv")]
    [InlineData("Asia/Calcutta", "Asia/Kolkata")]
    [InlineData("US/Pacific", "America/Los_Angeles")]
    public void A_renamed_zone_keeps_its_cutoffs(string formerly, string today)
    {
        var (before, after) = (Clock(formerly, "17:00"), Clock(today, "17:00"));

        for (var date = new LocalDate(2020, 1, 1); date.Year <= 2030; date = date.PlusDays(1))
            Assert.Equal(before.On(date), after.On(date));
    }
}
