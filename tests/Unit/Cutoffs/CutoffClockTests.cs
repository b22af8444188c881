using Actors.Grains.Interfaces;
using NodaTime;
using Xunit;
using static Actors.Tests.Unit.Cutoffs.WallClock;

namespace Actors.Tests.Unit.Cutoffs;

public sealed class CutoffClockTests
{
    [Theory]
    [InlineData("Australia/Brisbane", "17:00", "2026-02-10", "2026-02-10T07:00:00Z")]
    [InlineData("Asia/Tokyo", "00:00", "2026-02-10", "2026-02-09T15:00:00Z")]
    [InlineData("America/Los_Angeles", "23:59:59", "2026-02-10", "2026-02-11T07:59:59Z")]
    public void Defect_3_a_run_exactly_at_the_cutoff_has_passed_it(
        string zone, string time, string date, string cutoff)
    {
        var clock = Clock(zone, time);
        var at = At(cutoff);

        Assert.Equal(Date(date), clock.LastPassed(at).Date);
        Assert.Equal(Date(date).PlusDays(1), clock.NextAfter(at).Date);
    }

    [Theory]
    [InlineData("Australia/Brisbane", "17:00", "2026-02-10", "2026-02-10T07:00:00Z")]
    [InlineData("Asia/Tokyo", "00:00", "2026-02-10", "2026-02-09T15:00:00Z")]
    [InlineData("America/Los_Angeles", "23:59:59", "2026-02-10", "2026-02-11T07:59:59Z")]
    public void One_nanosecond_before_the_cutoff_it_has_not_passed(
        string zone, string time, string date, string cutoff)
    {
        var clock = Clock(zone, time);
        var at = At(cutoff) - Duration.Epsilon;

        Assert.Equal(Date(date).PlusDays(-1), clock.LastPassed(at).Date);
        Assert.Equal(new Cutoff(Date(date), At(cutoff), CutoffResolution.Once), clock.NextAfter(at));
    }

    [Theory]
    [InlineData("2026-02-10T06:59:59Z", "2026-02-09")]
    [InlineData("2026-02-10T07:00:01Z", "2026-02-10")]
    [InlineData("2026-02-10T13:59:59Z", "2026-02-10")]
    [InlineData("2026-02-10T14:00:00Z", "2026-02-10")]
    public void Defect_1_the_local_date_counts_and_not_the_one_of_UTC(string now, string lastPassed)
    {
        Assert.Equal(Date(lastPassed), Clock("Australia/Brisbane", "17:00").LastPassed(At(now)).Date);
    }

    [Fact]
    public void Defect_2_the_same_cutoff_time_comes_at_another_instant_in_each_zone()
    {
        var date = new LocalDate(2026, 7, 1);

        Assert.Equal(At("2026-07-01T05:00:00Z"), Clock("Pacific/Auckland", "17:00").On(date).At);
        Assert.Equal(At("2026-07-01T07:00:00Z"), Clock("Australia/Brisbane", "17:00").On(date).At);
        Assert.Equal(At("2026-07-01T16:00:00Z"), Clock("Europe/London", "17:00").On(date).At);
        Assert.Equal(At("2026-07-02T00:00:00Z"), Clock("America/Los_Angeles", "17:00").On(date).At);
    }
}
