namespace Actors.Api.Runs;

/// <summary>How long requests for runs wait, and how their leases go.</summary>
public sealed record RunLimits
{
    /// <summary>For `Retry-After`, where the answer is not there yet or an error of the moment.</summary>
    public const int RetryAfterSeconds = 2;

    /// <summary>A run that is not done by then is answered 202, and goes on.</summary>
    public TimeSpan AnswerWithin { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// How long a process is believed to be at a run after it last said so; then a retry with the same
    /// Idempotency-Key takes the run over.
    /// </summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>How often a process says so: several times a lease, so that one lost word costs nothing.</summary>
    public TimeSpan ProlongEvery { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How often a process looks for runs whose own process is gone.</summary>
    public TimeSpan ResumeEvery { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The most runs that one process of the API is at; more are answered 503.</summary>
    public int MostInFlight { get; init; } = 1_000;
}
