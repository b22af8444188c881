using Actors.Grains.Interfaces;
using NodaTime;

namespace Actors.Grains.Installments;

/// <summary>What the marker did for one agency, all of it committed.</summary>
/// <param name="Outcome">Never <see cref="AgencyRunOutcome.Failed"/>: failures are thrown.</param>
/// <param name="Job">The run under which the newest row stands; null when none was written.</param>
/// <param name="Served">The ledger rows that were written, in the order of dates.</param>
/// <param name="Now">The database's clock in that transaction.</param>
/// <param name="Next">The next cutoff; null for an agency that is paused or not there.</param>
/// <param name="MovedNextCutoff">Whether the stored next cutoff was changed.</param>
/// <param name="More">Further dates are unserved: ask again for the next wave.</param>
internal sealed record MarkingAnswer(
    AgencyRunOutcome Outcome,
    JobId? Job,
    IReadOnlyList<ServedCutoff> Served,
    Instant Now,
    Instant? Next,
    bool MovedNextCutoff,
    bool More)
{
    public static MarkingAnswer Nothing(AgencyRunOutcome outcome, Instant now) =>
        new(outcome, null, [], now, null, false, false);
}
