using Actors.Grains.Cutoffs;
using Actors.Grains.Interfaces;
using NodaTime;
using static Actors.Tests.Unit.Cutoffs.WallClock;

namespace Actors.Tests.Unit.Grains;

/// <summary>Agencies whose content does not matter, unless a test says so.</summary>
internal static class SomeAgency
{
    public static readonly Guid Id = new("0a9f0c4e-7f3b-4a55-8a0c-3a1f6a1f0001");

    /// <summary>Closes at 17:00 UTC.</summary>
    public static CutoffClock ClockAtFive { get; } = Clock("UTC", "17:00");

    /// <summary>Served through that date, and armed for the next one, by <see cref="ClockAtFive"/>.</summary>
    public static AgencyState ServedThrough(string date) => New() with
    {
        LastDate = Date(date),
        LastAt = ClockAtFive.On(Date(date)).At,
        NextAt = ClockAtFive.On(Date(date).PlusDays(1)).At,
    };

    public static AgencyState New() => new(
        new AgencyId(Id), "UTC", new LocalTime(17, 0), null, null, null, At("2026-01-01T00:00:00Z"), false, 0);
}
