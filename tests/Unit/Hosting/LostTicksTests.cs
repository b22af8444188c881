using Actors.Silo.Hosting;
using NodaTime;
using Xunit;

namespace Actors.Tests.Unit.Hosting;

/// <summary>Whom a look takes for agencies that no reminder serves any more.</summary>
public sealed class LostTicksTests
{
    private static readonly Guid[] Herd = [.. Enumerable.Range(0, 40).Select(_ => Guid.NewGuid())];

    private static readonly Instant Five = Instant.FromUtc(2031, 1, 10, 17, 0);

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

    [Fact]
    public void A_herd_that_has_its_turn_keeps_no_look_from_those_of_other_instants()
    {
        var few = Herd.Take(2);
        var found = Herd.ToLookup(agency => few.Contains(agency) ? Five - Duration.FromSeconds(1) : Five);

        Assert.Equal(few.Order(), LostTicks.Lost(Set([]), found).Order());
    }

    private static ILookup<Instant, Guid> Set(IEnumerable<Guid> agencies) => agencies.ToLookup(_ => Five);
}
