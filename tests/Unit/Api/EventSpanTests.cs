using Actors.Api.Events;
using Xunit;

namespace Actors.Tests.Unit.Api;

public sealed class EventSpanTests
{
    [Theory]
    [InlineData(0, 0, 0, true)]
    [InlineData(0, 0, 1, false)]
    [InlineData(1, 9, 0, true)]
    [InlineData(1, 9, 9, true)]
    [InlineData(1, 9, 10, false)]
    [InlineData(5, 9, 4, true)]
    [InlineData(5, 9, 3, false)]
    [InlineData(5, 9, long.MaxValue, false)]
    public void A_client_goes_on_where_nothing_after_its_position_is_gone(
        long first, long last, long position, bool continues) =>
        Assert.Equal(continues, new EventSpan(first, last).Continues(position));
}
