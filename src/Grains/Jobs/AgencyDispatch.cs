using Actors.Grains.Interfaces;

namespace Actors.Grains.Jobs;

/// <summary>Asks many agencies' grains to bring themselves up to date, some hundred at once.</summary>
internal sealed class AgencyDispatch(IGrainFactory grains, GrainOptions options)
{
    /// <summary>
    /// Runs in the turns of the grain that calls it, and ends when every agency has answered. Answers the failures that
    /// the ledger does not know, or all of them.
    /// </summary>
    public async Task<IReadOnlyList<AgencyFailure>> AskAsync(
        IReadOnlyList<AgencyId> agencies, RunRequest request, bool allFailures, CancellationToken stopping)
    {
        var failures = new List<AgencyFailure>();
        var next = 0;
        var asking = Math.Min(options.AgenciesInFlight, agencies.Count);
        await Task.WhenAll(Enumerable.Range(0, asking).Select(_ => AskInTurnAsync()));
        return failures;

        // Runs in the calling grain's turns, so that the list and the place in it need no lock. A semaphore's queue
        // would be served outside of those turns.
        async Task AskInTurnAsync()
        {
            while (next < agencies.Count)
            {
                stopping.ThrowIfCancellationRequested();
                await AskOneAsync(agencies[next++]);
            }
        }

        async Task AskOneAsync(AgencyId agency)
        {
            try
            {
                var result = await grains.GetGrain<IAgencyGrain>(agency.Value).BringUpToDateAsync(request);
                if (result.Outcome == AgencyRunOutcome.Failed && (allFailures || result.Job is null))
                    failures.Add(new AgencyFailure(agency, result.Error ?? "unknown error"));
            }
            catch (Exception error) when (!stopping.IsCancellationRequested)
            {
                // Its own text may name hosts, and whoever asked may not be one to know them.
                failures.Add(new AgencyFailure(agency, $"its grain did not answer ({error.GetType().Name})"));
            }
        }
    }
}
