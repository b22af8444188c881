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

    [Fact]
    public async Task Every_request_gets_a_documented_answer_and_none_is_a_failure_of_the_server()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var seed = Setting("ACTORS_FUZZ_SEED", UsualSeed);
        var text = await process.Http.GetStringAsync(new Uri("/openapi/v1.json", UriKind.Relative), cancellationToken);
        using var document = JsonDocument.Parse(text);
        var operations = DocumentedOperation.In(document.RootElement);
        var values = new GeneratedValues(new Random(seed), document.RootElement, await process.KnownIdsAsync());
        var requests = new GeneratedRequests(values);

        var complaints = new List<string>();
        var statuses = new Dictionary<int, int>();
        var succeeded = new HashSet<DocumentedOperation>();
        var left = Setting("ACTORS_FUZZ_REQUESTS", UsualRequests);
        while (left > 0)
        {
            // Made one after the other, so that a seed always makes the same; sent a few at once.
            var batch = Enumerable.Range(0, Math.Min(AtOnce, left))
                .Select(_ => values.Pick(operations))
                .Select(operation => (Operation: operation, Request: requests.For(operation)))
                .ToArray();
            left -= batch.Length;
            var answers = await Task.WhenAll(batch.Select(one => SendAsync(one.Operation, one.Request)));
            foreach (var (sent, (status, complaint)) in batch.Zip(answers))
            {
                if (status < 300) succeeded.Add(sent.Operation);
                statuses[status] = statuses.GetValueOrDefault(status) + 1;
                if (complaint is not null) complaints.Add(complaint);
            }
        }

        TestContext.Current.SendDiagnosticMessage(string.Join(", ", statuses.OrderBy(pair => pair.Key)));
        Assert.True(
            complaints.Count == 0,
            $"Seed {seed}: {complaints.Count} answers are not as documented.\n"
            + string.Join('\n', complaints.Distinct().Take(ComplaintsShown)));
        Assert.True(
            3 * succeeded.Count >= operations.Count,
            $"Only {succeeded.Count} of {operations.Count} operations ever succeeded: what is sent does not come far.");
        Assert.True(await process.ReadAsync<long>("SELECT count(*) FROM agencies") >= 12, "Rows are gone.");
    }

    private async Task<(int Status, string? Complaint)> SendAsync(
        DocumentedOperation operation, HttpRequestMessage request)
    {
        using (request)
        {
            var sent = $"{request.Method} {request.RequestUri!.OriginalString}";
            if (sent.Length > 200) sent = sent[..200] + "…";
            using var answer = await process.Http.SendAsync(
                request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
            var status = (int)answer.StatusCode;
            // A stream of events has no end: its beginning is all that is asked for.
            var body = answer.Content.Headers.ContentType?.MediaType == "text/event-stream"
                ? ""
                : await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            var wrong = WhatIsWrong(operation, answer, body);
            return (status, wrong is null ? null : $"{sent}: {status}, {wrong}: {body[..Math.Min(body.Length, 300)]}");
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
