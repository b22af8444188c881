namespace Actors.Api.Access;

/// <summary>
/// How many requests a second are answered before 429, and how many may come at once after a quiet while; and how many
/// of one caller are in work at the same time, since a few slow ones are enough to fill a pool. Each process counts for
/// itself. The limits keep one caller from taking the others' share, and never close the door on a valid
/// caller because of what others send.
/// </summary>
public sealed record ApiLimits
{
    /// <summary>What one caller may read, and what one address may ask of what is open to all.</summary>
    public RequestRate Reads { get; init; } = new(100, 200);

    /// <summary>What one caller may start or change.</summary>
    public RequestRate Triggers { get; init; } = new(20, 40);

    /// <summary>Requests of one address that no valid credential came with, or that lead nowhere.</summary>
    public RequestRate Failures { get; init; } = new(10, 20);

    /// <summary>What one caller has in work at the same time, streams of events apart.</summary>
    public RequestsAtOnce AtOnce { get; init; } = new(8, 16);
}

/// <summary>How many requests are in work, with some room for those that wait for their turn.</summary>
/// <param name="Working">How many are in work; 1 or more.</param>
/// <param name="Waiting">How many wait then, those that came first being next; what comes beyond is 429.</param>
public sealed record RequestsAtOnce(int Working, int Waiting);

/// <summary>A rate, with some room above it.</summary>
/// <param name="PerSecond">How many a second, in the long run; 1 or more.</param>
/// <param name="Burst">How many at once after a second or more without any; at least the rate.</param>
public sealed record RequestRate(int PerSecond, int Burst)
{
    public const int Most = 100_000;

    /// <summary>A rate with twice as much room.</summary>
    public static RequestRate Of(int perSecond) => new(perSecond, 2 * perSecond);
}
