using Actors.Api.Requests;
using Actors.Grains.Cutoffs;
using Xunit;

namespace Actors.Tests.Unit.Api;

public sealed class NearestNameTests
{
    private static readonly string[] Statuses = ["draft", "pending", "paid", "partial", "overdue", "cancelled"];

    [Theory]
    [InlineData("Australia/Brisbame", "Australia/Brisbane")]
    [InlineData("australia/brisbane", "Australia/Brisbane")]
    [InlineData(" Australia/Brisbane ", "Australia/Brisbane")]
    [InlineData("Amercia/New_York", "America/New_York")]
    [InlineData("America/New York", "America/New_York")]
    [InlineData("America/Honolulu", "Pacific/Honolulu")]
    [InlineData("Sidney", "Australia/Sydney")]
    [InlineData("utc", "UTC")]
    public void A_mistyped_zone_finds_the_nearest(string word, string expected) =>
        Assert.Equal(expected, NearestName.Of(word, ZoneCatalogue.Names));

    [Theory]
    [InlineData("pendign", "pending")]
    [InlineData("Overdue", "overdue")]
    [InlineData("canceled", "cancelled")]
    [InlineData("PAID", "paid")]
    public void A_mistyped_status_finds_the_nearest(string word, string expected) =>
        Assert.Equal(expected, NearestName.Of(word, Statuses));

    [Theory]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("open")]
    [InlineData("refunded")]
    public void A_word_that_is_near_to_none_finds_none(string word) => Assert.Null(NearestName.Of(word, Statuses));

    [Theory]
    [InlineData("Middle_Earth/Mordor")]
    [InlineData("AEST")]
    public void A_zone_that_is_near_to_none_finds_none(string word) =>
        Assert.Null(NearestName.Of(word, ZoneCatalogue.Names));

    [Fact]
    public void Of_equally_near_names_the_first_in_order_is_taken() =>
        Assert.Equal("plan_ic", NearestName.Of("plan_id", ["plan_ix", "plan_ic"]));
}
