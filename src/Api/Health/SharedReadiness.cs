using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Actors.Api.Health;

/// <summary>
/// Asks the readiness checks for everybody who asks `/health/ready`, which anybody may, and as often as they like: at
/// most once at a time, and what was found is told to all who come meanwhile and within the second after it.
/// </summary>
internal sealed class SharedReadiness(HealthCheckService checks, TimeProvider time)
{
    public const string Tag = "ready";

    /// <summary>How long what was found is told again.</summary>
    public static readonly TimeSpan KeptFor = TimeSpan.FromSeconds(1);

    private readonly Lock door = new();
    private Task<Found>? last;

    /// <param name="cancellationToken">Ends the waiting of one who asks; the others' checks go on.</param>
    public async Task<HealthReport> AskAsync(CancellationToken cancellationToken)
    {
        Task<Found> asked;
        lock (door)
        {
            // Not on this thread, which holds the door: a check may do much before it waits for the first time.
            if (last is null || IsOver(last)) last = Task.Run(CheckAsync, CancellationToken.None);
            asked = last;
        }

        return (await asked.WaitAsync(cancellationToken)).Report;
    }

    private bool IsOver(Task<Found> found) =>
        found.IsCompleted && (!found.IsCompletedSuccessfully || time.GetElapsedTime(found.Result.At) >= KeptFor);

    private async Task<Found> CheckAsync()
    {
        var report = await checks.CheckHealthAsync(check => check.Tags.Contains(Tag));
        return new Found(report, time.GetTimestamp());
    }

    private sealed record Found(HealthReport Report, long At);
}
