using Actors.Api.Agencies;
using Actors.Api.Answers;
using Actors.Grains.Interfaces;
using NodaTime;
using NodaTime.Text;

namespace Actors.Api.Installments;

/// <summary>Why an installment is overdue or is not, decided from the facts and from what the rule says.</summary>
/// <param name="Reason">See <see cref="ExplainAnswer.Reason"/>.</param>
/// <param name="Sentence">For a person.</param>
/// <param name="BecomesOverdueAt">
/// The cutoff at which that happens by itself; null where it does not, or is at hand.
/// </param>
internal sealed record Explanation(string Reason, string Sentence, Instant? BecomesOverdueAt = null)
{
    public const string RuleUnknown = "ruleUnknown";

    /// <param name="facts">The installment as the database has it.</param>
    /// <param name="outlook">What the rule says; null where no silo answers.</param>
    /// <param name="cutoffOfDueDate">The cutoff of its due date; null where that has passed or is not known.</param>
    public static Explanation Decide(InstallmentFacts facts, CutoffOutlook? outlook, Cutoff? cutoffOfDueDate) =>
        facts switch
        {
            { Status: "overdue", MarkedBy: { } run } => new(MarkingReason.AlreadyOverdue, Marked(facts, run)),
            { Status: "overdue" } => new(
                MarkingReason.AlreadyOverdue,
                "It is overdue, but no run in its agency's ledger names it: another program has set that status, or "
                + "the ledger of that time is gone."),
            { Status: "paid" } => new(MarkingReason.Paid, "It is paid, and only pending installments become overdue."),
            { Status: not "pending" } => new(
                MarkingReason.OtherStatus,
                $"Its status is {facts.Status}, and only pending installments become overdue."),
            { PlanStatus: not "active" } => new(
                MarkingReason.PlanNotActive,
                $"It is pending, but its plan is {facts.PlanStatus}, and only installments under an active plan become "
                + "overdue. If the plan is made active, the agency's next cutoff decides."),
            { DueDate: null } => new(
                MarkingReason.NoDueDate, "It is pending, but has no due date, and so never becomes overdue."),
            { DueDate: { } due } => Pending(due, facts.UndoneRuns, outlook, cutoffOfDueDate),
        };

    private static Explanation Pending(
        LocalDate due, IReadOnlyList<LedgerItem> undone, CutoffOutlook? outlook, Cutoff? cutoffOfDueDate)
    {
        if (outlook is null)
        {
            return new(
                RuleUnknown,
                $"It is pending and was or is due on {Text(due)}; when its agency's cutoff of that date is, is not "
                + "known while no silo answers.");
        }

        if (outlook.Problem is { } problem)
        {
            return new(
                MarkingReason.ZoneUnknown,
                $"It is pending and due on {Text(due)}, but its agency cannot be served: {problem}");
        }

        if (outlook.IsPaused)
        {
            return new(
                MarkingReason.AgencyPaused,
                $"It is pending and due on {Text(due)}, but its agency is paused: its dates pass unserved until it is "
                + "resumed.");
        }

        return due <= outlook.MarksThrough
            ? Due(due, undone, outlook)
            : NotDue(due, outlook, cutoffOfDueDate);
    }

    /// <summary>A run that somebody asks for now would mark it.</summary>
    private static Explanation Due(LocalDate due, IReadOnlyList<LedgerItem> undone, CutoffOutlook outlook)
    {
        if (outlook.WouldServe is not null || outlook.NextCutoffs is not [var next, ..])
        {
            return new(
                MarkingReason.Due,
                $"It was due on {Text(due)}, whose cutoff has passed, and its agency is late: it becomes overdue as "
                + "soon as the agency is served, which the silos do by themselves.");
        }

        var because = undone is [{ Undone: { } undo }, ..]
            ? $"The run that had marked it was undone by {undo.By}"
            : "It was added, or its plan was made active, after that date had been served";
        return new(
            MarkingReason.Due,
            $"It was due on {Text(due)}, whose cutoff has passed. {because}: it becomes overdue at the agency's next "
            + $"cutoff, {Wall(next.At, outlook.Timezone)}, or in a run that somebody asks for before.",
            next.At);
    }

    private static Explanation NotDue(LocalDate due, CutoffOutlook outlook, Cutoff? cutoffOfDueDate)
    {
        // The next cutoff to be served may be of a later date: after a move to the west the watermark stands ahead.
        Cutoff? at = outlook.NextCutoffs is [var next, ..] && next.Date > due ? next : cutoffOfDueDate;
        return at is { } cutoff
            ? new(
                MarkingReason.NotDueUntil,
                $"It is pending and due on {Text(due)}. It becomes overdue at the cutoff of {Text(cutoff.Date)}, "
                + $"{Wall(cutoff.At, outlook.Timezone)}, unless it is paid before.{Clocks(cutoff)}",
                cutoff.At)
            : new(
                MarkingReason.NotDueUntil,
                $"It is pending and due on {Text(due)}. It becomes overdue at its agency's cutoff of that date, unless "
                + "it is paid before.");
    }

    private static string Marked(InstallmentFacts facts, LedgerItem run)
    {
        var asked = run.RequestedBy is { } by ? $"a run that {by} asked for" : "a run of its agency";
        var cutoff = run is { CutoffDate: { } date, Cutoff: { } at }
            ? $"the cutoff of {Text(date)}, {Wall(at.Instant, run.Timezone)}, had passed"
            : "its cutoff had passed";
        var due = facts.DueDate is { } on ? $"It was due on {Text(on)} and pending" : "It was pending";
        return $"It is overdue. {due} under an active plan when {cutoff}, and {asked} marked it on "
            + $"{Wall(run.CompletedAt, run.Timezone)}.";
    }

    private static string Clocks(Cutoff cutoff) => cutoff.Resolution switch
    {
        CutoffResolution.Shifted => " The clocks skip the usual cutoff time that day.",
        CutoffResolution.LaterOfTwo => " The usual cutoff time comes twice that day; the later one counts.",
        CutoffResolution.DateAbsent => " The agency's calendar skips that date.",
        _ => "",
    };

    private static string Text(LocalDate date) => LocalDatePattern.Iso.Format(date);

    private static string Wall(Instant instant, string timezone)
    {
        var wall = WallTime.At(instant, timezone);
        var seconds = wall.Local.Second == 0 ? "" : ":ss";
        var local = LocalDateTimePattern.CreateWithInvariantCulture($"uuuu-MM-dd HH:mm{seconds}").Format(wall.Local);
        return $"{local} in {wall.Timezone}";
    }
}
