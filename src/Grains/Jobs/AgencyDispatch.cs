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
        using var places = new SemaphoreSlim(options.AgenciesInFlight);
        await Task.WhenAll(agencies.Select(AskOneAsync));
        return failures;

        // Runs in the calling grain's turns, so the list needs no lock.
        async Task AskOneAsync(AgencyId agency)
        {
            await places.WaitAsync(stopping);
            try
            {
                var result = await grains.GetGrain<IAgencyGrain>(agency.Value).BringUpToDateAsync(request);
                if (result.Outcome == AgencyRunOutcome.Failed && (allFailures || result.Job is null))
                    failures.Add(new AgencyFailure(agency, result.Error ?? "unknown error"));
            }
            catch (Exception error) when (!stopping.IsCancellationRequested)
            {
                failures.Add(new AgencyFailure(agency, error.Message));
            }
            finally
            {
                places.Release();
            }
        }
    }
}
