using Actors.Tests.Simulation.Application;
using NodaTime;

namespace Actors.Tests.Simulation;

/// <summary>When a world begins, so that forty days of it see the clocks change.</summary>
internal static class Seasons
{
    private static readonly LocalDate[] Starts =
    [
        new(2011, 12, 5), // Samoa goes without 30 December.
        new(2024, 2, 25), new(2024, 9, 28), new(2025, 3, 1), new(2025, 9, 30), new(2023, 3, 5), new(2023, 9, 26),
    ];

    /// <summary>Every zone that an agency can move to, one that nobody knows included.</summary>
    public static string[] Zones => [.. Agencies.Zones, Agencies.UnknownZone];

    public static Instant Start(Chance chance) =>
        chance.Of(Starts).At(LocalTime.FromSecondsSinceMidnight(chance.Below(86_400))).InUtc().ToInstant()
        + Duration.FromDays(chance.Below(5));
}
