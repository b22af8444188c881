using Actors.Api.Errors;
using Actors.Grains.Interfaces;
using NodaTime;

namespace Actors.Api.Agencies;

/// <summary>What the rule says of an agency, as far as a silo answers.</summary>
/// <param name="Outlook">Null where no silo answered, or there is no such agency.</param>
/// <param name="Notice">
/// For a person, in one sentence: why something is not known; null where nothing is missing.
/// </param>
internal sealed record AgencyRule(CutoffOutlook? Outlook, string? Notice)
{
    /// <summary>What reads as null because nobody answered is unknown, which is said.</summary>
    private const string NobodyAnswers =
        "No silo answers at the moment, so what follows from the rule is not known and is null here.";

    /// <summary>
    /// The grain answers without waiting for a run; who waits longer waits for a silo that is not there.
    /// </summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Installments due by this date are at or behind a cutoff that has passed: the latest date that is closed, or
    /// already served. Null where the zone is unknown.
    /// </summary>
    public LocalDate? ClosedThrough => Outlook switch
    {
        { MarksThrough: { } date } => date,
        { NextCutoffs: [var next, ..] } => next.Date.PlusDays(-1),
        _ => null,
    };

    /// <summary>The agency's local date at the instant of the outlook.</summary>
    public LocalDate? Today => Outlook is { Problem: null } outlook
        ? Answers.WallTime.At(outlook.At, outlook.Timezone).Local.Date
        : null;

    /// <summary>Asks, and takes no answer for one.</summary>
    public static async Task<AgencyRule> TryAskAsync(
        IGrainFactory grains, Guid agency, int cutoffs, CancellationToken cancellationToken)
    {
        try
        {
            var outlook = await AskAsync(grains, agency, null, cutoffs, cancellationToken);
            return new AgencyRule(outlook, outlook?.Problem);
        }
        catch (Exception error) when (ExceptionErrors.Decide(error).Status is 503 or 504)
        {
            return new AgencyRule(null, NobodyAnswers);
        }
    }

    /// <summary>Asks; where no silo answers, that is thrown.</summary>
    /// <exception cref="SiloUnavailableException">No silo answered in time.</exception>
    public static async Task<CutoffOutlook?> AskAsync(
        IGrainFactory grains, Guid agency, Instant? at, int cutoffs, CancellationToken cancellationToken)
    {
        try
        {
            return await grains.GetGrain<IAgencyGrain>(agency).LookAheadAsync(at, cutoffs)
                .WaitAsync(Patience, cancellationToken);
        }
        catch (TimeoutException late)
        {
            // Not a run whose end is unknown: nothing was asked that would have gone on.
            throw new Orleans.Runtime.SiloUnavailableException("No silo answered in time.", late);
        }
    }
}
