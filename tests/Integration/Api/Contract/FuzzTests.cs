using System.Globalization;
using System.Net;
using System.Text.Json;
using Xunit;

namespace Actors.Tests.Integration.Api.Contract;

/// <summary>
/// Whatever is sent, the API answers as its document says: a documented status, problem details for what is refused,
/// and never a failure of the server. ACTORS_FUZZ_SEED and ACTORS_FUZZ_REQUESTS choose others than the usual.
/// </summary>
public sealed class FuzzTests(OpenProcess process) : IClassFixture<OpenProcess>
{
    private const int UsualSeed = 1_918;
    private const int UsualRequests = 5_000;
    private const int AtOnce = 8;
    private const int ComplaintsShown = 20;
    private const int LongestAddress = 8_000;

    /// <summary>Operations that need not succeed: those for which what is sent can come to nothing.</summary>
    private static readonly string[] MayAlwaysFail = [];

    private static readonly string[] Headers = ["ETag", "Location", "Idempotency-Replayed", "Retry-After"];

    [Fact]
    public async Task Every_request_gets_a_documented_answer_and_none_is_a_failure_of_the_server()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var seed = Setting("ACTORS_FUZZ_SEED", UsualSeed);
        var text = await process.Http.GetStringAsync(new Uri("/openapi/v1.json", UriKind.Relative), cancellationToken);
        using var document = JsonDocument.Parse(text);
        var operations = DocumentedOperation.In(document.RootElement);
        var known = await process.KnownIdsAsync();
        var values = new GeneratedValues(new Random(seed), document.RootElement, known);
        var requests = new GeneratedRequests(values, await TagsAsync(known["agencies"]));

        var complaints = new List<string>();
        var statuses = new Dictionary<int, int>();
        var succeeded = new HashSet<DocumentedOperation>();
        var turned = new HashSet<DocumentedOperation>();
        var all = Setting("ACTORS_FUZZ_REQUESTS", UsualRequests);
        var left = all;
        while (left > 0)
        {
            // Made one after the other, so that a seed always makes the same; sent a few at once.
            var batch = Enumerable.Range(0, Math.Min(AtOnce, left))
                .Select(_ => values.Pick(operations))
                .Select(operation => (Operation: operation, Request: requests.For(operation)))
                .ToArray();
            left -= batch.Length;
            var answers = await Task.WhenAll(batch.Select(one => SendAsync(one.Operation, one.Request)));
            foreach (var (sent, (status, address, complaint, body)) in batch.Zip(answers))
            {
                if (status is > 0 and < 300)
                {
                    succeeded.Add(sent.Operation);
                    if (address.Contains("cursor=", StringComparison.Ordinal)) turned.Add(sent.Operation);
                    requests.Learn(sent.Operation, body);
                }

                statuses[status] = statuses.GetValueOrDefault(status) + 1;
                if (complaint is not null) complaints.Add(complaint);
            }
        }

        TestContext.Current.SendDiagnosticMessage(string.Join(", ", statuses.OrderBy(pair => pair.Key)));
        Assert.True(
            complaints.Count == 0,
            $"Seed {seed}: {complaints.Count} answers are not as documented.\n"
            + string.Join('\n', complaints.Distinct().Take(ComplaintsShown)));
        if (all >= UsualRequests)
        {
            Assert.Equal(
                MayAlwaysFail,
                operations.Except(succeeded).Select(operation => $"{operation}").Order(StringComparer.Ordinal));
            Assert.True(turned.Count > 3, $"Only {turned.Count} lists were ever read beyond their first page.");
        }

        Assert.True(await process.ReadAsync<long>("SELECT count(*) FROM agencies") >= 12, "Rows are gone.");
    }

    /// <summary>Entity tags of agencies as they are now, and the one that fits whatever is there.</summary>
    private async Task<IReadOnlyList<string>> TagsAsync(IReadOnlyList<string> agencies)
    {
        var tags = new List<string> { "*" };
        foreach (var agency in agencies)
        {
            using var answer = await process.Http.GetAsync(
                new Uri($"/api/agencies/{agency}", UriKind.Relative), TestContext.Current.CancellationToken);
            tags.Add(answer.EnsureSuccessStatusCode().Headers.ETag!.Tag);
        }

        return tags;
    }

    private async Task<(int Status, string Address, string? Complaint, string Body)> SendAsync(
        DocumentedOperation operation, HttpRequestMessage request)
    {
        using (request)
        {
            var address = request.RequestUri!.OriginalString;
            var sent = $"{request.Method} {address}";
            if (sent.Length > 200) sent = sent[..200] + "…";
            using var answer = await AnswerAsync(request);
            if (answer is null) return (0, address, $"{sent}: no answer", "");
            var status = (int)answer.StatusCode;
            // A stream of events has no end: its beginning is all that is asked for.
            var body = answer.Content.Headers.ContentType?.MediaType == "text/event-stream"
                ? ""
                : await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            var wrong = WhatIsWrong(operation, answer, body);
            if (wrong is not null) wrong = $"{sent}: {status}, {wrong}: {body[..Math.Min(body.Length, 300)]}";
            return (status, address, wrong, body);
        }
    }

    private async Task<HttpResponseMessage?> AnswerAsync(HttpRequestMessage request)
    {
        try
        {
            return await process.Http.SendAsync(
                request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    private static string? WhatIsWrong(DocumentedOperation operation, HttpResponseMessage answer, string body)
    {
        var status = (int)answer.StatusCode;
        var isOriginal = operation.Path.StartsWith("/functions/", StringComparison.Ordinal);
        if (status >= 500 && !isOriginal) return "a failure of the server";
        // The document says so at its head: such an address never reaches the API.
        if (answer.StatusCode == HttpStatusCode.RequestUriTooLong)
            return answer.RequestMessage!.RequestUri!.OriginalString.Length > LongestAddress ? null : "but it is short";
        var type = answer.Content.Headers.ContentType?.MediaType;
        if (answer.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed && IsNoAddress(body))
            return null;
        if (operation.TypesOf(status) is not { } types) return "which is not documented";
        if (types.Count > 0 && !types.Contains(type))
            return $"documented as {string.Join(", ", types)}, came as {type}";
        var stranger = Headers.FirstOrDefault(
            name => answer.Headers.Contains(name) && !operation.HasHeader(status, name));
        if (stranger is not null) return $"whose header {stranger} is not documented";
        if (status < 400 || isOriginal) return null;

        using var problem = JsonDocument.Parse(body);
        return ((string[])["type", "title", "status", "detail", "code", "traceId"])
            .Where(member => !problem.RootElement.TryGetProperty(member, out _))
            .Select(member => $"problem details without '{member}'")
            .FirstOrDefault();
    }

    // What was put into the path can make it another address, which is none of this operation's.
    private static bool IsNoAddress(string body) =>
        body.Contains("no-such-address", StringComparison.Ordinal)
        || body.Contains("method-not-allowed", StringComparison.Ordinal);

    private static int Setting(string name, int usual) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var set) ? set : usual;
}
