using NodaTime;

namespace Actors.Grains.Cutoffs;

/// <summary>
/// Who says what time it is. In production the database does, inside the statement that needs it, so that a silo whose
/// clock runs ahead cannot mark early. Tests and simulations put a clock of their own in its place, here and nowhere
/// else; it travels into SQL as a parameter, which no client can set.
/// </summary>
public sealed class DatabaseClock
{
    /// <summary>Answers what time it is; `now` is <see cref="Replacement"/>.</summary>
    internal const string Now = "SELECT coalesce(@now, clock_timestamp())";

    private readonly TimeProvider? _replacement;

    private DatabaseClock(TimeProvider? replacement) => _replacement = replacement;

    /// <summary>PostgreSQL's own clock.</summary>
    public static DatabaseClock OfPostgres { get; } = new(null);

    /// <summary>
    /// The instant that takes the place of PostgreSQL's `clock_timestamp()`, or null for that itself.
    /// </summary>
    public Instant? Replacement =>
        _replacement is null ? null : Instant.FromDateTimeOffset(_replacement.GetUtcNow());

    /// <summary>A clock that stands in for the database's, for tests and simulations.</summary>
    public static DatabaseClock ReplacedBy(TimeProvider clock) => new(clock);
}
