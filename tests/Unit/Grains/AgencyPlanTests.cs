using Actors.Grains.Cutoffs;
using Actors.Grains.Interfaces;
using Xunit;
using static Actors.Tests.Unit.Cutoffs.WallClock;

namespace Actors.Tests.Unit.Grains;

public sealed class AgencyPlanTests
{
    private static AgencyPlan Decide(AgencyState state, string now, bool asked = false, int datesAtMost = 31) =>
        AgencyPlan.Decide(state, SomeAgency.ClockAtFive, At(now), asked, datesAtMost);

    [Fact]
    public void A_new_agency_starts_with_one_row_at_the_last_passed_date_and_is_not_enumerated_back()
    {
        var plan = Decide(SomeAgency.New(), "2026-05-20T12:00:00Z");

        var run = Assert.Single(plan.Runs);
        Assert.Equal((Date("2026-05-19"), true), (run.Cutoff.Date, run.Serves));
        Assert.Equal(Date("2026-05-19"), plan.ThroughDate);
        Assert.Equal((Date("2026-05-20"), At("2026-05-20T17:00:00Z")), (plan.Next.Date, plan.Next.At));
        Assert.False(plan.More);
        Assert.True(plan.MovesNextCutoff);
    }

    [Fact]
    public void Where_nothing_is_unserved_and_nothing_was_asked_nothing_is_written()
    {
        var plan = Decide(SomeAgency.ServedThrough("2026-05-19"), "2026-05-20T16:59:59Z");

        Assert.Empty(plan.Runs);
        Assert.Null(plan.ThroughDate);
        Assert.True(plan.WritesNothing);
        Assert.Equal(At("2026-05-20T17:00:00Z"), plan.Next.At);
    }

    [Fact]
    public void Exactly_at_the_cutoff_its_date_is_served()
    {
        var plan = Decide(SomeAgency.ServedThrough("2026-05-19"), "2026-05-20T17:00:00Z");

        Assert.Equal(Date("2026-05-20"), Assert.Single(plan.Runs).Cutoff.Date);
        Assert.Equal(Date("2026-05-21"), plan.Next.Date);
        Assert.False(plan.WritesNothing);
    }

    [Fact]
    public void Missed_dates_are_served_in_waves_without_a_gap()
    {
        var first = Decide(SomeAgency.ServedThrough("2026-05-09"), "2026-05-20T18:00:00Z", datesAtMost: 4);

        Assert.Equal(
            [Date("2026-05-10"), Date("2026-05-11"), Date("2026-05-12"), Date("2026-05-13")],
            first.Runs.Select(run => run.Cutoff.Date));
        Assert.All(first.Runs, run => Assert.True(run.Serves));
        Assert.True(first.More);
        Assert.Equal(Date("2026-05-14"), first.Next.Date);

        var last = Decide(SomeAgency.ServedThrough("2026-05-16"), "2026-05-20T18:00:00Z", datesAtMost: 4);

        Assert.Equal(4, last.Runs.Count);
        Assert.False(last.More);
        Assert.Equal(Date("2026-05-21"), last.Next.Date);
    }

    [Fact]
    public void A_run_that_is_asked_for_when_nothing_is_unserved_stands_beside_the_one_that_served_the_date()
    {
        var state = SomeAgency.ServedThrough("2026-05-19") with { LastAt = At("2026-05-19T15:00:00Z") };

        var plan = Decide(state, "2026-05-20T12:00:00Z", asked: true);

        var run = Assert.Single(plan.Runs);
        Assert.False(run.Serves);
        // The cutoff is told as it was when it was served, whatever the settings are now.
        Assert.Equal((Date("2026-05-19"), At("2026-05-19T15:00:00Z")), (run.Cutoff.Date, run.Cutoff.At));
        Assert.Equal(Date("2026-05-20"), plan.Next.Date);
        Assert.False(plan.MovesNextCutoff);
        Assert.False(plan.WritesNothing);
    }

    [Fact]
    public void A_run_that_is_asked_for_when_a_date_is_unserved_serves_it_and_adds_nothing()
    {
        var plan = Decide(SomeAgency.ServedThrough("2026-05-18"), "2026-05-20T12:00:00Z", asked: true);

        Assert.True(Assert.Single(plan.Runs).Serves);
    }

    [Fact]
    public void A_watermark_ahead_of_what_has_passed_after_a_move_to_the_west_waits_for_the_date_after_it()
    {
        // Tokyo's 20th is served; in Los Angeles only the 19th has passed.
        var state = SomeAgency.ServedThrough("2026-05-20") with { NextAt = null };
        var west = Clock("America/Los_Angeles", "17:00");
        var now = At("2026-05-20T12:00:00Z");

        var plan = AgencyPlan.Decide(state, west, now, asked: false, datesAtMost: 31);
        var asked = AgencyPlan.Decide(state, west, now, asked: true, datesAtMost: 31);

        Assert.Empty(plan.Runs);
        Assert.Equal((Date("2026-05-21"), At("2026-05-22T00:00:00Z")), (plan.Next.Date, plan.Next.At));
        Assert.True(plan.MovesNextCutoff);
        Assert.False(plan.WritesNothing);
        Assert.Equal((Date("2026-05-19"), false), (asked.Runs[0].Cutoff.Date, asked.Runs[0].Serves));
        Assert.Equal(Date("2026-05-21"), asked.Next.Date);
    }

    [Fact]
    public void A_date_that_does_not_exist_has_its_row_which_says_so()
    {
        // Samoa crossed the date line at the end of 2011-12-29.
        var clock = Clock("Pacific/Apia", "17:00");
        var state = SomeAgency.New() with { LastDate = Date("2011-12-29"), LastAt = clock.On(Date("2011-12-29")).At };

        var plan = AgencyPlan.Decide(state, clock, At("2011-12-31T03:00:00Z"), asked: false, datesAtMost: 31);

        Assert.Equal(
            [(Date("2011-12-30"), CutoffResolution.DateAbsent), (Date("2011-12-31"), CutoffResolution.Once)],
            plan.Runs.Select(run => (run.Cutoff.Date, run.Cutoff.Resolution)));
        Assert.Equal(Date("2012-01-01"), plan.Next.Date);
    }

    [Fact]
    public void A_stored_instant_that_is_no_longer_right_is_moved_though_nothing_is_served()
    {
        var state = SomeAgency.ServedThrough("2026-05-19") with { NextAt = At("2026-05-20T18:00:00Z") };

        var plan = Decide(state, "2026-05-20T12:00:00Z");

        Assert.Empty(plan.Runs);
        Assert.True(plan.MovesNextCutoff);
        Assert.Equal(At("2026-05-20T17:00:00Z"), plan.Next.At);
    }
}
