using System.Text;
using System.Text.Json.Nodes;
using Actors.Api.Runs;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
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
    public async Task A_key_is_taken_as_it_is(string key) => Assert.Equal(key, (await ReadAsync(key: key))!.Key);

    [Fact]
    public async Task A_key_of_255_characters_is_the_longest()
    {
        Assert.NotNull(await ReadAsync(key: new string('x', 255)));
        Assert.Contains("256 characters", await AdviceAsync(key: new string('x', 256)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a\tb")]
    [InlineData("a\u007Fb")]
    [InlineData("Schlüssel")]
    public async Task A_key_that_is_empty_or_not_printable_is_refused(string key) =>
        Assert.StartsWith("Idempotency-Key: ", await AdviceAsync(key: key), StringComparison.Ordinal);

    [Fact]
    public async Task Two_keys_are_refused() =>
        Assert.Contains("2 times", await AdviceAsync(key: new StringValues(["a", "b"])), StringComparison.Ordinal);

    [Fact]
    public async Task Ids_come_out_in_order_and_once() => Assert.Equal(
        [Guid.Parse(First), Guid.Parse(Second)],
        (await ReadAsync(new RunFilterBody([Second, First, First.ToUpperInvariant()])))!.Filter!.AgencyIds!);

    [Fact]
    public async Task An_id_that_is_none_is_named_by_its_place() => Assert.Equal(
        "filter.agencyIds[1]: This is no UUID.", await AdviceAsync(new RunFilterBody([First, "x"])));

    [Fact]
    public async Task More_ids_than_a_request_may_have_are_refused() => Assert.StartsWith(
        "filter.agencyIds: There are 401 ids;",
        await AdviceAsync(new RunFilterBody([.. Enumerable.Repeat(First, 401)])), StringComparison.Ordinal);

    [Theory]
    [InlineData("paused")]
    [InlineData("onTime ")]
    [InlineData("")]
    public async Task A_state_that_is_none_to_run_is_refused(string state) => Assert.StartsWith(
        "filter.state: ", await AdviceAsync(new RunFilterBody(State: state)), StringComparison.Ordinal);

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("a\nb")]
    [InlineData("a\0b")]
    public async Task A_text_that_would_mean_all_or_nothing_is_refused(string text)
    {
        Assert.StartsWith(
            "filter.timezone: ", await AdviceAsync(new RunFilterBody(Timezone: text)), StringComparison.Ordinal);
        Assert.StartsWith(
            "filter.search: ", await AdviceAsync(new RunFilterBody(Search: text)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_same_words_have_one_fingerprint_and_others_another()
    {
        var fingerprint = await FingerprintAsync(new RunFilterBody([First, Second], "UTC"));

        Assert.Equal(32, fingerprint.Length);
        Assert.Equal(fingerprint, await FingerprintAsync(new RunFilterBody([Second, First, First], " UTC ")));
        Assert.NotEqual(fingerprint, await FingerprintAsync(new RunFilterBody([First], "UTC")));
        Assert.NotEqual(fingerprint, await FingerprintAsync(new RunFilterBody([First, Second], "UTC"), "a reason"));
        Assert.NotEqual(
            fingerprint, await FingerprintAsync(new RunFilterBody([First, Second], "UTC"), path: "/api/other"));
        Assert.NotEqual(await FingerprintAsync(null), await FingerprintAsync(new RunFilterBody()));
        Assert.NotEqual(await FingerprintAsync(new RunFilterBody([])), await FingerprintAsync(new RunFilterBody()));
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

    [Fact]
    public async Task An_agency_of_the_address_is_not_filtered_further()
    {
        var (words, refusal) = await RunWords.ReadAsync(Request(new { filter = new { } }, null), mayFilter: false);

        Assert.Null(words);
        Assert.StartsWith("filter: There is no such property;", Only(refusal), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"filter":{"zone":"UTC"}}""", "filter.zone: There is no such property; filter takes agencyIds,")]
    [InlineData("""{"filter":[]}""", "filter: filter is a list; expected is an object of agencyIds,")]
    [InlineData("""{"filter":{"agencyIds":"x"}}""", "filter.agencyIds: agencyIds is a text; expected is a list.")]
    [InlineData("""{"filter":{"agencyIds":[7]}}""", "filter.agencyIds[0]: This is no UUID.")]
    [InlineData("""{"filter":{"state":7}}""", "filter.state: state is a number; expected is a text.")]
    public async Task What_is_wrong_within_a_filter_is_named_by_its_place(string body, string advice)
    {
        var (_, refusal) = await RunWords.ReadAsync(Request(JsonNode.Parse(body), null), mayFilter: true);

        Assert.StartsWith(advice, Only(refusal), StringComparison.Ordinal);
    }

    private static async Task<byte[]> FingerprintAsync(
        RunFilterBody? filter, string? reason = null, string path = "/api/runs") =>
        RunOrder.FingerprintOf((await ReadAsync(filter, reason))!, path);

    private static async Task<RunWords?> ReadAsync(
        RunFilterBody? filter = null, string? reason = null, StringValues? key = null) =>
        (await RunWords.ReadAsync(Request(new RunBody(reason, filter), key), mayFilter: true)).Words;

    private static async Task<string> AdviceAsync(RunFilterBody? filter = null, StringValues? key = null)
    {
        var (words, refusal) = await RunWords.ReadAsync(Request(new RunBody(null, filter), key), mayFilter: true);
        Assert.Null(words);
        return Only(refusal);
    }

    /// <summary>The one thing that is wrong, as `name: sentence`.</summary>
    private static string Only(ProblemHttpResult? refusal)
    {
        Assert.Equal(400, refusal!.StatusCode);
        var errors = (Dictionary<string, string[]>)refusal.ProblemDetails.Extensions["errors"]!;
        var (name, sentences) = Assert.Single(errors);
        return $"{name}: {Assert.Single(sentences)}";
    }

    private static HttpRequest Request<T>(T body, StringValues? key)
    {
        var request = new DefaultHttpContext().Request;
        if (key is { } sent) request.Headers[IdempotencyKey.HeaderName] = sent;
        request.ContentType = "application/json";
        request.Body = new MemoryStream(Encoding.UTF8.GetBytes(WebJson.Of(body)));
        return request;
    }
}
