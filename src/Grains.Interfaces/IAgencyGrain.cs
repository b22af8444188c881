namespace Actors.Grains.Interfaces;

/// <summary>
/// One agency; its key is <see cref="AgencyId.Value"/>. It owns the agency's persistent reminder and asks for its
/// installments to be marked. It holds no copy of the agency's settings.
/// </summary>
[Alias("actors.IAgencyGrain")]
public interface IAgencyGrain : IGrainWithGuidKey
{
    /// <summary>
    /// Serves every cutoff that has passed unserved; where somebody asks (<see cref="RunTrigger.Api"/>), also marks
    /// what became due since. Waits for a run of this agency that is in flight. Transient errors of the database are
    /// retried after 1, 2 and 4 seconds; what fails then is recorded and answered as
    /// <see cref="AgencyRunOutcome.Failed"/>. Harmless when called twice.
    /// </summary>
    [Alias("BringUpToDate"), ResponseTimeout("00:02:00")]
    Task<AgencyRunResult> BringUpToDateAsync(RunRequest request);
}
