using Actors.Grains.Cutoffs;
using Actors.Grains.Installments;
using Actors.Grains.Interfaces;
using Actors.Grains.Jobs;
using NodaTime;
using Xunit;
using static Actors.Tests.Unit.Cutoffs.WallClock;

namespace Actors.Tests.Unit.Grains;

public sealed class PlannedRowTests
{
    private static readonly PlannedRun Served = new(SomeAgency.ClockAtFive.On(Date("2026-05-20")), Serves: true);
    private static readonly Duration Limit = Duration.FromMinutes(10);

    private static PlannedRow Row(AgencyState state, PlannedRun run, RunTrigger trigger, JobPlan? job = null) =>
        new(state, run, job ?? JobPlan.ForCutoff(run.Cutoff.At), new RunRequest(trigger));

    [Fact]
    public void Lateness_counts_from_the_cutoff()
    {
        var row = Row(SomeAgency.ServedThrough("2026-05-19"), Served, RunTrigger.Reminder);

        Assert.Equal(Duration.FromSeconds(3), row.LateBy(At("2026-05-20T17:00:03Z")));
        Assert.Equal(Duration.Zero, row.LateBy(At("2026-05-20T17:00:00Z")));
    }

    [Fact]
    public void Lateness_counts_from_the_change_of_settings_where_that_is_later()
    {
        var state = SomeAgency.ServedThrough("2026-05-19") with { SettingsChangedAt = At("2026-05-20T17:30:00Z") };
        var row = Row(state, Served, RunTrigger.CatchUp);

        Assert.Equal(Duration.FromSeconds(20), row.LateBy(At("2026-05-20T17:30:20Z")));
        Assert.Equal(Duration.Zero, row.LateBy(At("2026-05-20T17:29:00Z")));
    }

    [Fact]
    public void A_new_agency_and_a_run_beside_the_ledger_are_not_late()
    {
        var now = At("2026-05-25T17:00:00Z");

        Assert.Null(Row(SomeAgency.New(), Served, RunTrigger.CatchUp).LateBy(now));
        Assert.Null(Row(
            SomeAgency.ServedThrough("2026-05-20"), Served with { Serves = false }, RunTrigger.Api).LateBy(now));
    }

    [Theory]
    [InlineData(RunTrigger.Reminder, RunTrigger.Reminder)]
    [InlineData(RunTrigger.Api, RunTrigger.Api)]
    public void A_row_is_started_by_what_asked_for_it(RunTrigger asked, RunTrigger expected) =>
        Assert.Equal(expected, Row(SomeAgency.New(), Served, asked).Trigger);

    [Theory]
    [InlineData(RunTrigger.Reminder, RunTrigger.CatchUp)]
    [InlineData(RunTrigger.Api, RunTrigger.Api)]
    public void A_reminder_that_finds_a_missed_date_is_catching_up(RunTrigger asked, RunTrigger expected) =>
        Assert.Equal(
            expected,
            Row(SomeAgency.New(), Served, asked, JobPlan.ForCatchUp(At("2026-05-25T17:00:00Z"))).Trigger);

    [Fact]
    public void The_newest_row_of_a_reminder_stands_under_the_run_of_its_cutoff()
    {
        var job = JobPlan.For(
            Served, isNewest: true, new RunRequest(RunTrigger.Reminder),
            Served.Cutoff.At + Duration.FromMinutes(9), Limit);

        Assert.Equal(JobPlan.ForCutoff(Served.Cutoff.At), job);
        Assert.Equal((RunTrigger.Reminder, (Instant?)Served.Cutoff.At), (job.Trigger, job.CutoffAt));
    }

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 10)]
    public void What_a_reminder_finds_of_earlier_dates_or_after_the_limit_stands_under_a_catch_up(
        bool isNewest, int minutesLate)
    {
        var now = Served.Cutoff.At + Duration.FromMinutes(minutesLate);

        var job = JobPlan.For(Served, isNewest, new RunRequest(RunTrigger.Reminder), now, Limit);

        Assert.Equal(JobPlan.ForCatchUp(now), job);
        Assert.Null(job.CutoffAt);
    }

    [Fact]
    public void Who_brings_a_run_has_all_rows_under_it_with_name_and_reason()
    {
        var id = new JobId(Guid.NewGuid());
        var request = new RunRequest(RunTrigger.Api, id, "nightly key", "the file was late");

        var job = JobPlan.For(Served, isNewest: false, request, Served.Cutoff.At, Limit);

        Assert.Equal(new JobPlan(id, RunTrigger.Api, null, "nightly key", "the file was late"), job);
    }

    [Fact]
    public void Runs_that_were_closed_meanwhile_give_way_to_a_catch_up_and_open_ones_stay()
    {
        var now = At("2026-05-20T17:00:03Z");
        var request = new RunRequest(RunTrigger.Reminder);
        var plan = AgencyPlan.Decide(
            SomeAgency.ServedThrough("2026-05-18"), SomeAgency.ClockAtFive, now, asked: false, datesAtMost: 31);
        var batch = MarkingBatch.Of([new PlannedAgency(plan, request)], now, Limit);
        var catchUp = JobPlan.ForCatchUp(now).Id;
        Assert.Equal([catchUp, JobPlan.ForCutoff(Served.Cutoff.At).Id], batch.Rows.Select(row => row.Job.Id));

        var moved = batch.WithoutClosed(new HashSet<JobId> { catchUp });

        Assert.All(moved.Rows, row => Assert.Equal(catchUp, row.Job.Id));
        Assert.Equal(catchUp, Assert.Single(moved.NewestJobs()).Value);
        Assert.Single(moved.Jobs);
    }

    [Fact]
    public void A_run_whose_agency_has_more_dates_is_not_offered_for_closing()
    {
        var now = At("2026-05-20T17:00:03Z");
        var request = new RunRequest(RunTrigger.Api, new JobId(Guid.NewGuid()));

        Assert.Empty(Batch(datesAtMost: 1).JobsThatMayBeDone);
        Assert.Equal([request.Job!.Value], Batch(datesAtMost: 2).JobsThatMayBeDone);

        MarkingBatch Batch(int datesAtMost) => MarkingBatch.Of(
            [new PlannedAgency(
                AgencyPlan.Decide(
                    SomeAgency.ServedThrough("2026-05-18"), SomeAgency.ClockAtFive, now, asked: true, datesAtMost),
                request)],
            now,
            Limit);
    }
}
