using Actors.Api.Runs;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Xunit;

namespace Actors.Tests.Unit.Api;

/// <summary>What a request for a run may say in its headers and its body.</summary>
public sealed class RunWordsTests
{
    private const string First = "aaaaaaaa-0000-4000-8000-000000000001";
    private const string Second = "aaaaaaaa-0000-4000-8000-000000000002";

    [Theory]
    [InlineData("k")]
    [InlineData("8e03978e-40d5-43dd-bc93-6894a57f9324")]
    [InlineData("\"quoted, as the draft has it\"")]
    public void A_key_is_taken_as_it_is(string key) => Assert.Equal(key, Read(key: key)!.Key);

    [Fact]
    public void A_key_of_255_characters_is_the_longest()
    {
        Assert.NotNull(Read(key: new string('x', 255)));
        Assert.Contains("256 characters", Advice(key: new string('x', 256)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a\tb")]
    [InlineData("a\u007Fb")]
    [InlineData("Schlüssel")]
    public void A_key_that_is_empty_or_not_printable_is_refused(string key) =>
        Assert.StartsWith("Idempotency-Key: ", Advice(key: key), StringComparison.Ordinal);

    [Fact]
    public void Two_keys_are_refused() =>
        Assert.Contains("2 times", Advice(key: new StringValues(["a", "b"])), StringComparison.Ordinal);

    [Fact]
    public void Ids_come_out_in_order_and_once() => Assert.Equal(
        [Guid.Parse(First), Guid.Parse(Second)],
        Read(new RunFilterBody([Second, First, First.ToUpperInvariant()]))!.Filter!.AgencyIds!);

    [Fact]
    public void An_id_that_is_none_is_named_by_its_place() => Assert.Equal(
        "filter.agencyIds[1]: This is no UUID.", Advice(new RunFilterBody([First, "x"])));

    [Fact]
    public void More_ids_than_a_request_may_have_are_refused() => Assert.StartsWith(
        "filter.agencyIds: There are 401 ids;",
        Advice(new RunFilterBody([.. Enumerable.Repeat(First, 401)])), StringComparison.Ordinal);

    [Theory]
    [InlineData("paused")]
    [InlineData("onTime ")]
    [InlineData("")]
    public void A_state_that_is_none_to_run_is_refused(string state) => Assert.StartsWith(
        "filter.state: ", Advice(new RunFilterBody(State: state)), StringComparison.Ordinal);

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("a\nb")]
    [InlineData("a\0b")]
    public void A_text_that_would_mean_all_or_nothing_is_refused(string text)
    {
        Assert.StartsWith("filter.timezone: ", Advice(new RunFilterBody(Timezone: text)), StringComparison.Ordinal);
        Assert.StartsWith("filter.search: ", Advice(new RunFilterBody(Search: text)), StringComparison.Ordinal);
    }

    [Fact]
    public void The_same_words_have_one_fingerprint_and_others_another()
    {
        var fingerprint = Fingerprint(new RunFilterBody([First, Second], "UTC"));

        Assert.Equal(32, fingerprint.Length);
        Assert.Equal(fingerprint, Fingerprint(new RunFilterBody([Second, First, First], " UTC ")));
        Assert.NotEqual(fingerprint, Fingerprint(new RunFilterBody([First], "UTC")));
        Assert.NotEqual(fingerprint, Fingerprint(new RunFilterBody([First, Second], "UTC"), "a reason"));
        Assert.NotEqual(fingerprint, Fingerprint(new RunFilterBody([First, Second], "UTC"), path: "/api/other"));
        Assert.NotEqual(Fingerprint(null), Fingerprint(new RunFilterBody()));
        Assert.NotEqual(Fingerprint(new RunFilterBody([])), Fingerprint(new RunFilterBody()));
    }

    [Fact]
    public void An_earlier_request_is_another_one_answered_under_way_or_open()
    {
        byte[] one = new byte[32], two = [.. Enumerable.Repeat((byte)1, 32)];
        var open = new RunRequestState(Guid.Parse(First), one, IsLeased: false, null);

        Assert.Equal(EarlierRun.IsOpen, open.Decide(one));
        Assert.Equal(EarlierRun.IsUnderWay, (open with { IsLeased = true }).Decide(one));
        Assert.Equal(EarlierRun.IsAnswered, (open with { Answer = new KeptAnswer(200, "{}") }).Decide(one));
        Assert.Equal(EarlierRun.IsAnother, (open with { Answer = new KeptAnswer(200, "{}") }).Decide(two));
    }

    private static byte[] Fingerprint(RunFilterBody? filter, string? reason = null, string path = "/api/runs") =>
        RunOrder.FingerprintOf(Read(filter, reason)!, path);

    private static RunWords? Read(RunFilterBody? filter = null, string? reason = null, StringValues? key = null) =>
        RunWords.Of(Request(key), reason, filter, out _);

    /// <summary>The one thing that is wrong, as `name: sentence`.</summary>
    private static string Advice(RunFilterBody? filter = null, StringValues? key = null)
    {
        Assert.Null(RunWords.Of(Request(key), null, filter, out var refusal));
        Assert.Equal(400, refusal!.StatusCode);
        var errors = (Dictionary<string, string[]>)refusal.ProblemDetails.Extensions["errors"]!;
        var (name, sentences) = Assert.Single(errors);
        return $"{name}: {Assert.Single(sentences)}";
    }

    private static HttpRequest Request(StringValues? key)
    {
        var request = new DefaultHttpContext().Request;
        if (key is { } sent) request.Headers[IdempotencyKey.HeaderName] = sent;
        return request;
    }
}
