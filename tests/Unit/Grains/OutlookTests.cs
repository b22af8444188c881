using Actors.Grains.Cutoffs;
using Actors.Grains.Interfaces;
using NodaTime;
using Xunit;
using static Actors.Tests.Unit.Cutoffs.WallClock;

namespace Actors.Tests.Unit.Grains;

public sealed class OutlookTests
{
    public static TheoryData<Instant> FarAway { get; } =
        [Instant.MinValue, Instant.MaxValue, At("1969-12-31T23:59:59Z"), At("9999-12-31T23:59:59Z")];

    private static CutoffOutlook LookAhead(AgencyState state, string at, int cutoffs = 2) =>
        Outlook.Decide(state, At(at), cutoffs);

    [Fact]
    public void What_has_passed_unserved_would_be_served_and_marked_through_the_last_of_it()
    {
        var outlook = LookAhead(SomeAgency.ServedThrough("2026-05-15"), "2026-05-20T12:00:00Z");

        Assert.Equal(new UnservedDates(Date("2026-05-16"), Date("2026-05-19"), 4), outlook.WouldServe);
        Assert.Equal((Date("2026-05-19"), Date("2026-05-16")), (outlook.MarksThrough, outlook.FirstDate));
        Assert.Equal(new LastServed(Date("2026-05-15"), At("2026-05-15T17:00:00Z")), outlook.LastServed);
        Assert.Equal(
            [At("2026-05-20T17:00:00Z"), At("2026-05-21T17:00:00Z")], outlook.NextCutoffs.Select(next => next.At));
        Assert.Equal(
            (At("2026-05-20T12:00:00Z"), "UTC", new LocalTime(17, 0), ZoneCatalogue.TzdbVersion, false, (string?)null),
            (outlook.At, outlook.Timezone, outlook.CutoffTime, outlook.TzdbVersion, outlook.IsPaused, outlook.Problem));
    }

    [Fact]
    public void A_run_that_is_asked_for_when_nothing_is_unserved_marks_what_became_due_since()
    {
        var outlook = LookAhead(SomeAgency.ServedThrough("2026-05-19"), "2026-05-20T12:00:00Z");

        Assert.Null(outlook.WouldServe);
        Assert.Equal((Date("2026-05-19"), Date("2026-05-19")), (outlook.MarksThrough, outlook.FirstDate));
    }

    [Fact]
    public void Exactly_at_the_cutoff_its_date_has_passed()
    {
        var before = LookAhead(SomeAgency.ServedThrough("2026-05-19"), "2026-05-20T16:59:59Z");
        var at = LookAhead(SomeAgency.ServedThrough("2026-05-19"), "2026-05-20T17:00:00Z");

        Assert.Equal((Date("2026-05-19"), Date("2026-05-20")), (before.MarksThrough, before.NextCutoffs[0].Date));
        Assert.Equal((Date("2026-05-20"), Date("2026-05-21")), (at.MarksThrough, at.NextCutoffs[0].Date));
    }

    [Fact]
    public void A_paused_agency_marks_nothing_and_tells_what_a_resume_would_catch_up_or_skip()
    {
        var paused = SomeAgency.ServedThrough("2026-05-17") with { IsPaused = true };

        var outlook = LookAhead(paused, "2026-05-20T12:00:00Z");

        Assert.True(outlook.IsPaused);
        Assert.Equal((null, null), (outlook.MarksThrough, outlook.FirstDate));
        Assert.Equal(new UnservedDates(Date("2026-05-18"), Date("2026-05-19"), 2), outlook.WouldServe);
        Assert.Equal(Date("2026-05-20"), outlook.NextCutoffs[0].Date);
    }

    [Fact]
    public void A_new_agency_would_start_with_the_last_passed_date_and_everything_due_stands_under_it()
    {
        var outlook = LookAhead(SomeAgency.New(), "2026-05-20T12:00:00Z");

        Assert.Null(outlook.LastServed);
        Assert.Equal(new UnservedDates(Date("2026-05-19"), Date("2026-05-19"), 1), outlook.WouldServe);
        Assert.Equal((Date("2026-05-19"), Date("2026-05-19")), (outlook.MarksThrough, outlook.FirstDate));
    }

    [Fact]
    public void In_the_past_a_run_would_have_marked_less_and_what_is_served_comes_no_more()
    {
        var outlook = LookAhead(SomeAgency.ServedThrough("2026-05-19"), "2026-05-10T12:00:00Z");

        Assert.Null(outlook.WouldServe);
        Assert.Equal(Date("2026-05-09"), outlook.MarksThrough);
        Assert.Equal([Date("2026-05-20"), Date("2026-05-21")], outlook.NextCutoffs.Select(next => next.Date));
    }

    [Fact]
    public void After_a_move_to_the_west_the_date_that_was_served_there_already_does_not_come_again()
    {
        // Tokyo's 20th is served; in Los Angeles only the 19th has passed.
        var moved = SomeAgency.ServedThrough("2026-05-20") with { Timezone = "America/Los_Angeles" };

        var outlook = LookAhead(moved, "2026-05-20T12:00:00Z");

        Assert.Null(outlook.WouldServe);
        Assert.Equal(Date("2026-05-19"), outlook.MarksThrough);
        Assert.Equal(new Cutoff(Date("2026-05-21"), At("2026-05-22T00:00:00Z"), CutoffResolution.Once),
            outlook.NextCutoffs[0]);
    }

    [Fact]
    public void A_zone_that_nobody_knows_has_no_cutoffs_and_the_answer_says_why()
    {
        var unknown = SomeAgency.ServedThrough("2026-05-19") with { Timezone = "Mars/Olympus" };

        var outlook = LookAhead(unknown, "2026-05-20T12:00:00Z");

        Assert.StartsWith("timezone 'Mars/Olympus' is unknown to TZDB", outlook.Problem, StringComparison.Ordinal);
        Assert.Empty(outlook.NextCutoffs);
        Assert.Equal((null, null, null), (outlook.WouldServe, outlook.MarksThrough, outlook.FirstDate));
        Assert.Equal(Date("2026-05-19"), outlook.LastServed?.Date);
    }

    [Theory]
    [InlineData(-1, 0)]
    [InlineData(0, 0)]
    [InlineData(31, 31)]
    [InlineData(int.MaxValue, 31)]
    public void At_most_31_cutoffs_are_answered(int asked, int answered)
    {
        var outlook = LookAhead(SomeAgency.ServedThrough("2026-05-19"), "2026-05-20T12:00:00Z", asked);

        Assert.Equal(
            Enumerable.Range(0, answered).Select(day => Date("2026-05-20").PlusDays(day)),
            outlook.NextCutoffs.Select(next => next.Date));
    }

    [Theory]
    [MemberData(nameof(FarAway))]
    public void An_instant_beyond_the_calendar_is_taken_to_the_nearest_within_it(Instant at)
    {
        foreach (var zone in ZoneCatalogue.Names.Where((_, index) => index % 20 == 0).Append("Pacific/Kiritimati"))
        {
            var outlook = Outlook.Decide(SomeAgency.New() with { Timezone = zone }, at, cutoffs: 31);

            Assert.InRange(outlook.At, At("1970-01-01T00:00:00Z"), At("9998-12-31T23:59:59Z"));
            Assert.All(outlook.NextCutoffs, next => Assert.True(next.At > outlook.At));
        }
    }

    [Theory]
    [InlineData("2026-05-01", "2026-05-20T12:00:00Z", 4)]
    [InlineData("2026-05-18", "2026-05-20T12:00:00Z", 31)]
    [InlineData("2026-05-19", "2026-05-20T12:00:00Z", 31)]
    [InlineData("2026-05-20", "2026-05-20T12:00:00Z", 31)]
    public void What_is_foretold_is_what_the_waves_of_a_run_do(string served, string now, int datesAtMost)
    {
        var state = SomeAgency.ServedThrough(served);
        var foretold = Outlook.Decide(state, At(now), cutoffs: 1);
        var waves = new List<AgencyPlan>();
        do
        {
            waves.Add(AgencyPlan.Decide(state, SomeAgency.ClockAtFive, At(now), asked: true, datesAtMost));
            state = state with { LastDate = waves[^1].Runs[^1].Cutoff.Date, LastAt = waves[^1].Runs[^1].Cutoff.At };
        }
        while (waves[^1].More);

        Assert.Equal(waves[0].Runs[0].Cutoff.Date, foretold.FirstDate);
        Assert.Equal(waves[^1].ThroughDate, foretold.MarksThrough);
        Assert.Equal(waves[^1].Next, foretold.NextCutoffs[0]);
        Assert.Equal(waves.Sum(wave => wave.Runs.Count(run => run.Serves)), foretold.WouldServe?.Count ?? 0);
    }
}
