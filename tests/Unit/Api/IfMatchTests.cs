using Actors.Api.Requests;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Actors.Tests.Unit.Api;

public sealed class IfMatchTests
{
    private const string Current = "\"current\"";

    [Theory]
    [InlineData("\"current\"", true)]
    [InlineData("\"other\", \"current\"", true)]
    [InlineData("*", true)]
    [InlineData("\"other\"", false)]
    [InlineData("\"Current\"", false)]
    [InlineData("W/\"current\"", false)]
    public void Only_the_current_tag_or_a_star_allows_a_change_and_a_weak_one_never(string header, bool allows) =>
        Assert.Equal(allows, IfMatch.Of(Request(header)).Condition!.Allows(Current));

    [Fact]
    public void Several_headers_are_one_list() =>
        Assert.True(IfMatch.Of(Request("\"other\"", "\"current\"")).Condition!.Allows(Current));

    [Theory]
    [InlineData("current")]
    [InlineData("\"open")]
    [InlineData("")]
    [InlineData("\"a\" \"b\"")]
    public void What_is_no_list_of_tags_is_refused(string header) =>
        Assert.Equal(400, IfMatch.Of(Request(header)).Refusal!.StatusCode);

    [Fact]
    public void Without_the_header_a_change_is_refused() =>
        Assert.Equal(428, IfMatch.Of(new DefaultHttpContext().Request).Refusal!.StatusCode);

    private static HttpRequest Request(params string[] headers)
    {
        var request = new DefaultHttpContext().Request;
        request.Headers.IfMatch = headers;
        return request;
    }
}
