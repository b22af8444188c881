using Actors.Api.Agencies;
using Actors.Api.Answers;
using Actors.Api.Installments;
using Actors.Grains.Interfaces;
using NodaTime;
using Xunit;

namespace Actors.Tests.Unit.Api.Agencies;

/// <summary>Why an installment is overdue or is not, in every case.</summary>
public sealed class ExplanationTests
{
    private static readonly LocalDate Due = new(2026, 3, 10);
    private static readonly Instant Next = Instant.FromUtc(2026, 3, 11, 17, 0);

    private static readonly InstallmentFacts Pending = new(
        Guid.Empty, Guid.Empty, Guid.Empty, 10, Due, "pending", "active", null, []);

    /// <summary>Served through the 10th, at 18:00 of that day.</summary>
    private static readonly CutoffOutlook Served = new(
        new AgencyId(Guid.Empty), Instant.FromUtc(2026, 3, 10, 18, 0), "UTC", new LocalTime(17, 0), "2026f", false,
        new LastServed(Due, Instant.FromUtc(2026, 3, 10, 17, 0)),
        [new Cutoff(new LocalDate(2026, 3, 11), Next, CutoffResolution.Once)], null, Due, Due, null);

    [Theory]
    [InlineData("paid", "active", MarkingReason.Paid, "It is paid")]
    [InlineData("cancelled", "active", MarkingReason.OtherStatus, "Its status is cancelled")]
    [InlineData("", "active", MarkingReason.OtherStatus, "Its status is ")]
    [InlineData("pending", "paused", MarkingReason.PlanNotActive, "its plan is paused")]
    [InlineData("overdue", "paused", MarkingReason.AlreadyOverdue, "another program")]
    [InlineData("paid", "paused", MarkingReason.Paid, "It is paid")]
    public void Status_and_plan_come_before_the_rule(string status, string plan, string reason, string says)
    {
        foreach (var outlook in (CutoffOutlook?[])[Served, null])
        {
            var explanation = Explanation.Decide(Pending with { Status = status, PlanStatus = plan }, outlook, null);
            Assert.Equal(reason, explanation.Reason);
            Assert.Contains(says, explanation.Sentence, StringComparison.Ordinal);
            Assert.Null(explanation.BecomesOverdueAt);
        }
    }

    [Fact]
    public void Without_an_answer_of_a_silo_the_rule_is_unknown() =>
        Assert.Equal(Explanation.RuleUnknown, Explanation.Decide(Pending, null, null).Reason);

    [Fact]
    public void In_no_zone_nothing_is_decided()
    {
        var explanation = Explanation.Decide(
            Pending, Served with { Problem = "There is no zone X.", NextCutoffs = [], MarksThrough = null }, null);

        Assert.Equal(MarkingReason.ZoneUnknown, explanation.Reason);
        Assert.Contains("There is no zone X.", explanation.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void While_the_agency_is_paused_nothing_becomes_overdue()
    {
        var explanation = Explanation.Decide(Pending, Served with { IsPaused = true, MarksThrough = null }, null);

        Assert.Equal(MarkingReason.AgencyPaused, explanation.Reason);
        Assert.Null(explanation.BecomesOverdueAt);
    }

    [Fact]
    public void What_came_after_its_date_was_served_waits_for_the_next_cutoff()
    {
        var explanation = Explanation.Decide(Pending, Served, null);

        Assert.Equal(MarkingReason.Due, explanation.Reason);
        Assert.Equal(Next, explanation.BecomesOverdueAt);
        Assert.Contains("It was added, or its plan was made active", explanation.Sentence, StringComparison.Ordinal);
        Assert.Contains("2026-03-11 17:00 in UTC", explanation.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_due_at_a_late_agency_becomes_overdue_as_soon_as_it_is_served()
    {
        var late = Served with { WouldServe = new UnservedDates(Due, Due, 1), LastServed = null };

        var explanation = Explanation.Decide(Pending, late, null);

        Assert.Equal(MarkingReason.Due, explanation.Reason);
        Assert.Null(explanation.BecomesOverdueAt);
        Assert.Contains("late", explanation.Sentence, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(CutoffResolution.Once, "unless it is paid before.")]
    [InlineData(CutoffResolution.Shifted, "The clocks skip the usual cutoff time that day.")]
    [InlineData(CutoffResolution.LaterOfTwo, "comes twice that day; the later one counts.")]
    [InlineData(CutoffResolution.DateAbsent, "calendar skips that date.")]
    public void What_is_not_due_yet_becomes_so_at_the_cutoff_of_its_date(CutoffResolution resolution, string ends)
    {
        var due = Due.PlusDays(5);
        var cutoff = new Cutoff(due, Next + Duration.FromDays(4), resolution);

        var explanation = Explanation.Decide(Pending with { DueDate = due }, Served, cutoff);

        Assert.Equal(MarkingReason.NotDueUntil, explanation.Reason);
        Assert.Equal(cutoff.At, explanation.BecomesOverdueAt);
        Assert.EndsWith(ends, explanation.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void Where_the_watermark_stands_ahead_the_next_date_that_is_served_decides()
    {
        // After a move to the west: the 10th is open again there, but was served before the move.
        var moved = Served with { MarksThrough = Due.PlusDays(-1), FirstDate = Due.PlusDays(-1) };

        var explanation = Explanation.Decide(Pending, moved, null);

        Assert.Equal(MarkingReason.NotDueUntil, explanation.Reason);
        Assert.Equal(Next, explanation.BecomesOverdueAt);
        Assert.Contains("the cutoff of 2026-03-11", explanation.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void A_date_beyond_what_can_be_looked_ahead_to_is_said_without_an_instant()
    {
        var explanation = Explanation.Decide(Pending with { DueDate = new LocalDate(9998, 12, 31) }, Served, null);

        Assert.Equal(MarkingReason.NotDueUntil, explanation.Reason);
        Assert.Null(explanation.BecomesOverdueAt);
    }

    [Fact]
    public void The_run_that_marked_it_is_told_with_who_asked_for_it_and_the_wall_clock_of_then()
    {
        var run = new LedgerItem(
            Guid.Empty, Guid.Empty, Due, WallTime.At(Instant.FromUtc(2026, 3, 10, 8, 0), "Asia/Tokyo"), "once", true,
            "api", "billing", "any", Instant.FromUtc(2026, 3, 10, 8, 0, 1), Instant.FromUtc(2026, 3, 10, 8, 0, 1), 1,
            "success", 1, "Asia/Tokyo", new LocalTime(17, 0), "2026f", null, null);

        var explanation = Explanation.Decide(Pending with { Status = "overdue", MarkedBy = run }, Served, null);

        Assert.Equal(
            "It is overdue. It was due on 2026-03-10 and pending under an active plan when the cutoff of 2026-03-10, "
            + "2026-03-10 17:00 in Asia/Tokyo, had passed, and a run that billing asked for marked it on "
            + "2026-03-10 17:00:01 in Asia/Tokyo.",
            explanation.Sentence);
    }
}
