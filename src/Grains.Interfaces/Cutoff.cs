using NodaTime;

namespace Actors.Grains.Interfaces;

/// <summary>The cutoff of a local date: from <paramref name="At"/> on, that instant included, it has passed.</summary>
/// <param name="Date">The agency's local date that the cutoff closes.</param>
/// <param name="At">The instant at which the agency's wall clock shows its cutoff time on that date.</param>
/// <param name="Resolution">How that local time was turned into an instant.</param>
[GenerateSerializer, Immutable, Alias("actors.Cutoff")]
public readonly record struct Cutoff(
    [property: Id(0)] LocalDate Date,
    [property: Id(1)] Instant At,
    [property: Id(2)] CutoffResolution Resolution);

/// <summary>How a local cutoff time became an instant.</summary>
[GenerateSerializer, Alias("actors.CutoffResolution")]
public enum CutoffResolution
{
    /// <summary>The local time exists exactly once.</summary>
    Once,

    /// <summary>The local time is skipped by a clock change, and was shifted forward by the gap.</summary>
    Shifted,

    /// <summary>The local time happens twice, and the later one counts.</summary>
    LaterOfTwo,

    /// <summary>The whole local date does not exist in this zone.</summary>
    DateAbsent,
}
