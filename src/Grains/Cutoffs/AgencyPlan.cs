using Actors.Grains.Interfaces;
using NodaTime;

namespace Actors.Grains.Cutoffs;

/// <summary>One ledger row that is to be written.</summary>
/// <param name="Cutoff">The date, its instant, and how it was resolved.</param>
/// <param name="Serves">False for a run that was asked for when nothing was unserved.</param>
internal readonly record struct PlannedRun(Cutoff Cutoff, bool Serves);

/// <summary>
/// What is to be done for one agency at one moment: which dates to serve, and when to come again. The watermark never
/// goes back, and the next date to serve is always the one after it, whatever happened to the settings.
/// </summary>
/// <param name="State">What the plan was made from.</param>
/// <param name="Runs">
/// The rows to write, in the order of dates, without a gap; empty when there is nothing to do.
/// </param>
/// <param name="Next">The cutoff after the last of them; it has passed already when <paramref name="More"/>.</param>
/// <param name="More">Further dates are unserved and passed; they belong to the next wave.</param>
internal sealed record AgencyPlan(AgencyState State, IReadOnlyList<PlannedRun> Runs, Cutoff Next, bool More)
{
    /// <summary>
    /// An installment due by this date is marked; null when none is. It stands under the greater of its due date and
    /// the date of the first run.
    /// </summary>
    public LocalDate? ThroughDate => Runs.Count == 0 ? null : Runs[^1].Cutoff.Date;

    /// <summary>The watermark after the plan: only what serves a cutoff moves it.</summary>
    public (LocalDate? Date, Instant? At) WatermarkAfter => Runs is [.., { Serves: true } last]
        ? (last.Cutoff.Date, last.Cutoff.At)
        : (State.LastDate, State.LastAt);

    /// <summary>Whether the stored next cutoff is no longer the right one.</summary>
    public bool MovesNextCutoff => State.NextAt != Next.At;

    /// <summary>
    /// An agency that failed before is well again by this plan, which must be written even if nothing else is.
    /// </summary>
    public bool WritesNothing => Runs.Count == 0 && !MovesNextCutoff && State.FailedAttempts == 0;

    /// <param name="state">The agency as the database shows it; not paused.</param>
    /// <param name="clock">The rule of when, for its zone and cutoff time.</param>
    /// <param name="now">The database's clock.</param>
    /// <param name="asked">Somebody asked: mark what became due since, even when nothing is unserved.</param>
    /// <param name="datesAtMost">The limit of one wave, at least 1.</param>
    public static AgencyPlan Decide(AgencyState state, CutoffClock clock, Instant now, bool asked, int datesAtMost)
    {
        var passed = clock.LastPassed(now);
        if (state.LastDate is not { } lastDate)
        {
            // A new agency starts here, and is not enumerated further back.
            return new AgencyPlan(state, [new PlannedRun(passed, Serves: true)], After(passed.Date), More: false);
        }

        if (passed.Date > lastDate)
        {
            var unserved = Period.DaysBetween(lastDate, passed.Date);
            var runs = Enumerable.Range(1, Math.Min(unserved, datesAtMost))
                .Select(days => new PlannedRun(clock.On(lastDate.PlusDays(days)), Serves: true))
                .ToArray();
            return new AgencyPlan(state, runs, After(runs[^1].Cutoff.Date), More: unserved > datesAtMost);
        }

        // A move to the west can leave the watermark ahead of the dates that have passed there.
        PlannedRun[] beside = asked ? [new PlannedRun(AsServed(passed), Serves: false)] : [];
        return new AgencyPlan(state, beside, After(lastDate), More: false);

        Cutoff After(LocalDate date) => clock.On(date.PlusDays(1));

        Cutoff AsServed(Cutoff cutoff) =>
            cutoff.Date == lastDate && state.LastAt is { } at ? cutoff with { At = at } : cutoff;
    }
}
