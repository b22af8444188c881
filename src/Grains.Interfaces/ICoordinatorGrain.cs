using NodaTime;
using Orleans.Concurrency;

namespace Actors.Grains.Interfaces;

/// <summary>
/// One coordinator for each job name, which is its key. It closes the rows of `jobs_log`, sweeps for cutoffs that were
/// missed, and raises alerts. It is never on the path of a marking, and two of them at once do no harm.
/// </summary>
[Alias("actors.ICoordinatorGrain")]
public interface ICoordinatorGrain : IGrainWithStringKey
{
    /// <summary>Makes sure that the coordinator runs and will be brought back by its own reminder.</summary>
    [Alias("Start")]
    Task StartAsync();

    /// <summary>
    /// Looks once for what was missed: agencies to arm or to catch up, runs to close, alerts to raise or resolve.
    /// Answers what it found when all of it has answered. Who comes while one still looks and asks shares the one after
    /// it; agencies that have been asked and take long keep nobody waiting but who asked for that sweep.
    /// </summary>
    [Alias("Sweep"), AlwaysInterleave, ResponseTimeout("00:10:00")]
    Task<SweepResult> SweepAsync();

    /// <summary>
    /// Triggers the agencies of a request under one row of `jobs_log`, and answers when all are done. Harmless when it
    /// is called twice with one job: the second call waits for the first, goes on where a lost silo stopped, or
    /// answers what the ledger says of a run that is closed.
    /// </summary>
    [Alias("RunAll"), AlwaysInterleave, ResponseTimeout("00:15:00")]
    Task<RunAllResult> RunAllAsync(RunAllRequest request);

    /// <summary>
    /// Says that a run may have come to its end. A lost word costs nothing: the next sweep looks by itself.
    /// </summary>
    [Alias("JobMayBeDone"), OneWay, AlwaysInterleave]
    Task JobMayBeDoneAsync(JobId job);

    /// <summary>
    /// Says that an agency could not be served by what may pass, such as an outage, and that nobody will ask for it
    /// again: a sweep is to come soon, and not to wait until it is 10 s late. A lost word costs what every tick that is
    /// lost costs.
    /// </summary>
    /// <param name="error">What was met; it goes into the log.</param>
    [Alias("LeftUnserved"), OneWay, AlwaysInterleave]
    Task LeftUnservedAsync(string error);
}

/// <summary>What one sweep found and did.</summary>
/// <param name="At">The database's clock when it began.</param>
/// <param name="AgenciesFound">Agencies that were new, changed, or late.</param>
/// <param name="AgenciesBroughtUpToDate">Those of them that are up to date now.</param>
/// <param name="AgenciesFailed">Those of them that failed.</param>
/// <param name="JobsClosed">Rows of `jobs_log` that were closed.</param>
[GenerateSerializer, Immutable, Alias("actors.SweepResult")]
public sealed record SweepResult(
    [property: Id(0)] Instant At,
    [property: Id(1)] int AgenciesFound,
    [property: Id(2)] int AgenciesBroughtUpToDate,
    [property: Id(3)] int AgenciesFailed,
    [property: Id(4)] int JobsClosed);

/// <summary>One agency's share in a run.</summary>
[GenerateSerializer, Immutable, Alias("actors.AgencyCount")]
public readonly record struct AgencyCount([property: Id(0)] AgencyId Agency, [property: Id(1)] int RecordsUpdated);

/// <summary>One agency's failure in a run.</summary>
[GenerateSerializer, Immutable, Alias("actors.AgencyFailure")]
public readonly record struct AgencyFailure([property: Id(0)] AgencyId Agency, [property: Id(1)] string Error);

/// <summary>The answer of <see cref="ICoordinatorGrain.RunAllAsync"/>, as it stands in the ledger.</summary>
/// <param name="Job">The row of `jobs_log`.</param>
/// <param name="Agencies">Every agency that was brought up to date, in the order of ids, with what it marked.</param>
/// <param name="Failures">The agencies that failed, in the order of ids.</param>
/// <param name="Error">The sentence that stands in `jobs_log.error_message`; null when nothing failed.</param>
[GenerateSerializer, Immutable, Alias("actors.RunAllResult")]
public sealed record RunAllResult(
    [property: Id(0)] JobId Job,
    [property: Id(1)] IReadOnlyList<AgencyCount> Agencies,
    [property: Id(2)] IReadOnlyList<AgencyFailure> Failures,
    [property: Id(3)] string? Error)
{
    public int RecordsUpdated => Agencies.Sum(agency => agency.RecordsUpdated);
}
