using Actors.Silo.Hosting;
using Xunit;

namespace Actors.Tests.Unit.Hosting;

/// <summary>Whom a look takes for agencies that no reminder serves any more.</summary>
public sealed class LostTicksTests
{
    private static readonly Guid[] Herd = [.. Enumerable.Range(0, 33).Select(_ => Guid.NewGuid())];

    [Fact]
    public void A_few_are_asked_at_once() =>
        Assert.Equal(Herd.Take(32).Order(), LostTicks.Lost(Set([]), Set(Herd.Take(32))).Order());

    [Fact]
    public void Many_are_a_herd_when_they_are_seen_first() =>
        Assert.Empty(LostTicks.Lost(Set([]), Set(Herd)));

    [Fact]
    public void A_herd_of_which_some_were_served_since_has_its_turn() =>
        Assert.Empty(LostTicks.Lost(Set([.. Herd, Guid.NewGuid()]), Set(Herd)));

    [Fact]
    public void A_herd_of_which_nobody_was_served_since_is_lost_and_who_came_meanwhile_has_its_turn() =>
        Assert.Equal(Herd.Order(), LostTicks.Lost(Set(Herd), Set([.. Herd, Guid.NewGuid()])).Order());

    private static HashSet<Guid> Set(IEnumerable<Guid> agencies) => [.. agencies];
}
