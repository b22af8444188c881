using Actors.Api.Access;
using Actors.Api.Runs;
using Xunit;

namespace Actors.Tests.Unit.Api;

/// <summary>The texts that people give to the API: the names of keys, and the reasons of runs.</summary>
public sealed class TextRuleTests
{
    private static readonly string HundredClocks = string.Concat(Enumerable.Repeat("🕔", 100));

    [Fact]
    public void A_name_of_up_to_100_printable_characters_is_taken()
    {
        Assert.All(["n", "nightly import (Zürich)", HundredClocks], name =>
        {
            Assert.Equal(name, ApiKeyName.Parse(name, out var advice)?.Value);
            Assert.Null(advice);
        });
    }

    [Theory]
    [InlineData("", "is empty")]
    [InlineData(" ", "begins or ends with a space")]
    [InlineData("ci ", "begins or ends with a space")]
    [InlineData("a\tb", "The name 'a?b' has a character that cannot be printed")]
    [InlineData("a\0b", "The name 'a?b' has a character that cannot be printed")]
    [InlineData("a\u202Eb", "The name 'a?b' has a character that cannot be printed")]
    public void Any_other_name_is_refused_with_advice(string name, string expected)
    {
        Assert.Null(ApiKeyName.Parse(name, out var advice));
        Assert.Contains(expected, advice, StringComparison.Ordinal);
    }

    [Fact]
    public void A_name_of_101_characters_is_refused_with_its_length()
    {
        Assert.Null(ApiKeyName.Parse(HundredClocks + "🕔", out var advice));
        Assert.Contains("is 101 characters long", advice, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(" \n")]
    public void No_reason_is_fine(string? text)
    {
        Assert.Null(RunReason.Parse(text, out var advice));
        Assert.Null(advice);
    }

    [Fact]
    public void A_reason_of_up_to_1000_characters_is_taken()
    {
        var reason = string.Concat(Enumerable.Repeat(HundredClocks, 9)) + new string('x', 98) + "\n.";

        Assert.Equal(reason, RunReason.Parse(reason, out var advice));
        Assert.Null(advice);
    }

    [Fact]
    public void A_longer_reason_is_refused_with_its_length()
    {
        Assert.Null(RunReason.Parse(new string('x', 1_001), out var advice));
        Assert.Equal("The reason is 1001 characters long; shorten it to at most 1000.", advice);
    }

    [Fact]
    public void A_reason_that_PostgreSQL_cannot_hold_is_refused()
    {
        Assert.Null(RunReason.Parse("a\0b", out var advice));
        Assert.Contains("control character", advice, StringComparison.Ordinal);
    }
}
