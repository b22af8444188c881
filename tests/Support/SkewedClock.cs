namespace Actors.Tests.Support;

/// <summary>
/// Runs as far ahead of the tests' database, which goes by this machine's clock, as it is told.
/// </summary>
public sealed class SkewedClock(TimeSpan ahead) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + ahead;
}
