using Actors.Api.Events;
using Xunit;

namespace Actors.Tests.Unit.Api;

/// <summary>Who may hold how many streams.</summary>
public sealed class EventPlacesTests
{
    [Fact]
    public void One_caller_holds_ten_as_a_rule_and_one_more_when_one_is_closed()
    {
        var places = new EventPlaces(new EventLimits());
        var held = Enumerable.Range(0, 10).Select(_ => places.TryEnter("eager", out var _)!).ToList();

        Assert.All(held, Assert.NotNull);
        Assert.Null(places.TryEnter("eager", out var isAllTheirs));
        Assert.True(isAllTheirs);
        Assert.NotNull(places.TryEnter("other", out _));

        held[3].Dispose();
        held[3].Dispose();
        Assert.NotNull(places.TryEnter("eager", out _));
        Assert.Null(places.TryEnter("eager", out _));
    }

    [Fact]
    public void All_callers_hold_no_more_than_the_process_does()
    {
        var places = new EventPlaces(new EventLimits { MostStreams = 2 });

        Assert.NotNull(places.TryEnter("one", out _));
        Assert.NotNull(places.TryEnter("two", out _));
        Assert.Null(places.TryEnter("three", out var isAllTheirs));
        Assert.False(isAllTheirs);
    }
}
