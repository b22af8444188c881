using Actors.Api.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using NodaTime;
using Xunit;

namespace Actors.Tests.Unit.Api;

public sealed class QueryValuesTests
{
    private static readonly QueryParameter[] Known =
    [
        QueryParameter.Text("search", "Part of a name."),
        QueryParameter.Id("agency", "An agency."),
        QueryParameter.Word("status", "A status.", "running", "failed"),
        QueryParameter.Instant("from", "From this instant on."),
        QueryParameter.Date("due", "A date."),
        QueryParameter.Number("limit", "A number.", 1, 200, 50),
    ];

    [Fact]
    public void Every_kind_of_value_is_read_as_its_type()
    {
        var query = Read(
            ("search", "Ø"), ("agency", "a0000000-0000-4000-8000-000000000001"), ("status", "failed"),
            ("from", "2026-08-09T17:00:00+10:00"), ("due", "2026-08-09"), ("limit", "7"));
        Assert.Null(query.Refusal());
        Assert.Equal("Ø", query.Text("search"));
        Assert.Equal(Guid.Parse("a0000000-0000-4000-8000-000000000001"), query.Id("agency"));
        Assert.Equal("failed", query.Text("status"));
        Assert.Equal(Instant.FromUtc(2026, 8, 9, 7, 0), query.Instant("from"));
        Assert.Equal(new LocalDate(2026, 8, 9), query.Date("due"));
        Assert.Equal(7, query.Number("limit"));
    }

    [Fact]
    public void What_is_left_out_or_empty_is_its_default_or_nothing()
    {
        var query = Read(("search", ""));
        Assert.Null(query.Refusal());
        Assert.Null(query.Text("search"));
        Assert.Equal(50, query.Number("limit"));
    }

    [Theory]
    [InlineData("agency", "7")]
    [InlineData("agency", "{a0000000-0000-4000-8000-000000000001}")]
    [InlineData("status", "Failed")]
    [InlineData("from", "2026-08-09")]
    [InlineData("from", "9999-12-31T23:59:59Z")]
    [InlineData("due", "2026-02-30")]
    [InlineData("limit", "0")]
    [InlineData("limit", "201")]
    [InlineData("limit", "99999999999999999999")]
    [InlineData("limit", "1.5")]
    [InlineData("search", "a\0b")]
    [InlineData("search", "a\nb")]
    public void A_value_that_is_none_is_refused_with_what_is_expected(string name, string value)
    {
        var query = Read((name, value));
        Assert.NotNull(query.Refusal());
        Assert.Contains("expected is", Assert.Single(query.Problems[name]), StringComparison.Ordinal);
    }

    // Not a case of the theory: half a character does not survive being the argument of an attribute.
    [Fact]
    public void Half_a_character_is_refused() => Assert.NotNull(Read(("search", "a\ud800")).Refusal());

    [Fact]
    public void A_text_longer_than_200_characters_is_refused_and_shown_in_part()
    {
        var advice = Assert.Single(Read(("search", new string('x', 201))).Problems["search"]);
        Assert.InRange(advice.Length, 50, 200);
    }

    [Fact]
    public void An_unknown_parameter_is_refused_and_the_known_ones_are_named()
    {
        var advice = Assert.Single(Read(("stauts", "failed")).Problems["stauts"]);
        Assert.Contains("status", advice, StringComparison.Ordinal);
    }

    [Fact]
    public void A_parameter_that_is_given_twice_is_refused()
    {
        var query = QueryValues.Read(
            new QueryCollection(new Dictionary<string, StringValues> { ["limit"] = new(["1", "2"]) }), Known);
        Assert.Contains("2 times", Assert.Single(query.Problems["limit"]), StringComparison.Ordinal);
    }

    private static QueryValues Read(params (string Name, string Value)[] given) => QueryValues.Read(
        new QueryCollection(given.ToDictionary(pair => pair.Name, pair => new StringValues(pair.Value))), Known);
}
