using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Xunit;

namespace Actors.Tests.Integration.Api;

/// <summary>What a request is answered with that cannot be served.</summary>
public sealed class ErrorTests(ApiHost host) : IClassFixture<ApiHost>
{
    private const string SomeAgency = "/api/agencies/aaaaaaaa-0000-4000-8000-000000000001/runs";

    public static TheoryData<string> MalformedBodies =>
    [
        "{", "[]", "null", "\"late\"", """{"reason":"\ud800"}""", """{"reason":"late"} {}""",
        """{"reason":"late","reason":"later"}""", """{"filter":{"search":"\ud800"}}""",
    ];

    /// <summary>JSON is UTF-8, whatever is said beside it.</summary>
    public static TheoryData<string, string> Charsets
    {
        get
        {
            var all = new TheoryData<string, string>();
            foreach (var path in (string[])[SomeAgency, "/api/runs"])
                foreach (var charset in (string[])["utf-8", "\"utf-8\"", "UTF-8", "x", "utf-7", "utf-16", "\"\"", ""])
                    all.Add(path, $"application/json; charset={charset}");
            return all;
        }
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/api")]
    [InlineData("/api/agency")]
    [InlineData("/functions/v1/other")]
    public async Task An_unknown_address_is_404(string path)
    {
        using var response = await host.PostAsync(path);

        await ApiAssert.ProblemAsync(response, 404, "no-such-address");
    }

    [Theory]
    [InlineData(SomeAgency)]
    [InlineData(ApiHost.AllAgencies)]
    public async Task Another_method_is_405_and_names_the_right_one(string path)
    {
        using var response = await host.Http.GetAsync(new Uri(path, UriKind.Relative));

        await ApiAssert.ProblemAsync(response, 405, "method-not-allowed");
        Assert.Equal(["POST"], response.Content.Headers.Allow);
    }

    [Fact]
    public async Task An_id_that_is_no_uuid_is_an_agency_that_is_not_there()
    {
        using var response = await PostWithKeyAsync("/api/agencies/1%20OR%201=1/runs", null);

        var problem = await ApiAssert.ProblemAsync(response, 404, "agency-not-found");
        Assert.Equal(
            "The id in the address is no UUID, so no agency has it.", problem.GetProperty("detail").GetString());
    }

    [Fact]
    public async Task An_error_tells_the_trace_id_as_the_log_writes_it()
    {
        const string trace = "0af7651916cd43dd8448eb211c80319c";
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Microsoft.AspNetCore",
            Sample = (ref _) => ActivitySamplingResult.AllData,
        };
        ActivitySource.AddActivityListener(listener);

        using var response = await host.PostAsync("/nowhere", null, ("traceparent", $"00-{trace}-b7ad6b7169203331-01"));

        var problem = await ApiAssert.ProblemAsync(response, 404, "no-such-address");
        Assert.Equal(trace, problem.GetProperty("traceId").GetString());
    }

    [Theory]
    [MemberData(nameof(MalformedBodies))]
    public async Task A_malformed_body_is_400(string body)
    {
        using var response = await PostWithKeyAsync(SomeAgency, Json(body));

        await ApiAssert.ProblemAsync(response, 400, "malformed-body");
    }

    [Theory]
    [InlineData("""{"reason":7}""", "reason", "reason is a number; expected is a text.")]
    [InlineData("""{"raeson":"late"}""", "raeson", "; did you mean reason?")]
    public async Task A_body_with_something_wrong_is_400_and_says_what(string body, string name, string advice)
    {
        using var response = await PostWithKeyAsync(SomeAgency, Json(body));

        var problem = await ApiAssert.ProblemAsync(response, 400, "invalid-body");
        Assert.EndsWith(
            advice, problem.GetProperty("errors").GetProperty(name)[0].GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Charsets))]
    public async Task A_body_is_read_as_UTF_8_whatever_its_charset_is_said_to_be(string path, string type)
    {
        using var body = new ByteArrayContent(Encoding.UTF8.GetBytes("""{"reason":"x","why":"ü"}"""));
        body.Headers.TryAddWithoutValidation("Content-Type", type);
        using var response = await PostWithKeyAsync(path, body);

        var problem = await ApiAssert.ProblemAsync(response, 400, "invalid-body");
        Assert.Equal(["why"], problem.GetProperty("errors").EnumerateObject().Select(error => error.Name));
    }

    [Fact]
    public async Task A_reason_that_is_too_long_is_400_and_says_how_long_it_is()
    {
        using var response = await PostWithKeyAsync(SomeAgency, Json($$"""{"reason":"{{new string('x', 1_001)}}"}"""));

        var problem = await ApiAssert.ProblemAsync(response, 400, "invalid-body");
        Assert.Contains(
            "1001 characters", problem.GetProperty("errors").GetProperty("reason")[0].GetString(),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_that_is_no_json_is_415()
    {
        using var response = await PostWithKeyAsync(SomeAgency, new StringContent("reason=late"));

        await ApiAssert.ProblemAsync(response, 415, "not-json");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_body_of_more_than_16_KB_is_413(bool chunked)
    {
        var body = $$"""{"reason":"{{new string('x', 16 * 1024)}}"}""";
        using var one = await PostWithKeyAsync(SomeAgency, Json(body), chunked);
        using var all = await PostWithKeyAsync(ApiHost.AllAgencies, Json(body), chunked);

        await ApiAssert.ProblemAsync(one, 413, "body-too-large");
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, all.StatusCode);
        Assert.Equal(
            """
            {"success":false,"recordsUpdated":0,"agencies":[],"error":"Send a body of at most 16384 bytes."}
            """,
            await all.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_connection_ends_with_the_answer_to_a_body_that_is_not_read()
    {
        using var unread = await PostWithKeyAsync(ApiHost.NoAgency, Json(new string(' ', 20_000)));
        using var read = await PostWithKeyAsync(ApiHost.NoAgency, Json("{}"));

        await ApiAssert.ProblemAsync(unread, 404, "agency-not-found");
        Assert.True(unread.Headers.ConnectionClose);
        Assert.NotEqual(true, read.Headers.ConnectionClose);
    }

    [Theory]
    [InlineData("text/html")]
    [InlineData("image/png")]
    public async Task An_error_is_problem_details_whatever_the_caller_accepts(string accept)
    {
        using var response = await host.PostAsync("/api/nothing", null, ("Accept", accept));

        await ApiAssert.ProblemAsync(response, 404, "no-such-address");
    }

    [Theory]
    [InlineData("/api/nothing")]
    [InlineData("/health/live")]
    public async Task Every_answer_carries_the_security_headers(string path)
    {
        using var response = await host.Http.GetAsync(new Uri(path, UriKind.Relative));

        Assert.Equal("nosniff", response.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.Equal("no-referrer", response.Headers.GetValues("Referrer-Policy").Single());
        Assert.StartsWith(
            "default-src 'none'", response.Headers.GetValues("Content-Security-Policy").Single(),
            StringComparison.Ordinal);
        Assert.True(response.Headers.CacheControl?.NoStore);
    }

    /// <summary>As the head of the API's document says.</summary>
    [Theory]
    [InlineData("/api/%00", 0, 0, "400 Bad Request")]
    [InlineData("/long", 0, 0, "414 URI Too Long")]
    [InlineData("/", 101, 1, "431 Request Header Fields Too Large")]
    [InlineData("/", 9, 4_000, "431 Request Header Fields Too Large")]
    public async Task What_the_server_itself_refuses_has_a_status_and_no_body(
        string path, int headers, int length, string status)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(host.Http.BaseAddress!.Host, host.Http.BaseAddress.Port);
        await using var stream = client.GetStream();
        var request = new StringBuilder($"GET {path.Replace("long", new string('x', 8_192))} HTTP/1.1\r\nHost: x\r\n");
        for (var header = 0; header < headers; header++)
            request.Append(CultureInfo.InvariantCulture, $"X-{header}: {new string('x', length)}\r\n");
        await stream.WriteAsync(
            Encoding.ASCII.GetBytes(request.Append("\r\n").ToString()), TestContext.Current.CancellationToken);
        using var reader = new StreamReader(stream);
        var answer = await reader.ReadToEndAsync(TestContext.Current.CancellationToken);

        Assert.StartsWith($"HTTP/1.1 {status}\r\n", answer, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\n", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("""{"reason":null}""")]
    [InlineData("""{"reason":"The bank's file was late."}""")]
    public async Task A_good_request_in_a_cluster_without_agencies_fails_and_tells_no_secret(string? body)
    {
        using var response = await PostWithKeyAsync(SomeAgency, body is null ? null : Json(body));

        await ApiAssert.ProblemAsync(response, 500, "unexpected");
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("neither JSON nor of any interest")]
    public async Task A_run_of_all_in_a_cluster_without_a_coordinator_is_500_in_the_originals_words(string body)
    {
        using var response = await PostWithKeyAsync(ApiHost.AllAgencies, new StringContent(body));

        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        var answer = await response.Content.ReadAsStringAsync();
        Assert.StartsWith(
            """{"success":false,"recordsUpdated":0,"agencies":[],"error":"Something went wrong""", answer,
            StringComparison.Ordinal);
        ApiAssert.TellsNoSecret(answer);
    }

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");

    private async Task<HttpResponseMessage> PostWithKeyAsync(string path, HttpContent? body, bool chunked = false)
    {
        var key = await ApiKeysTable.AddAsync(host.Database);
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = body };
        request.Headers.Add("X-API-Key", key.Reveal());
        request.Headers.TransferEncodingChunked = chunked;
        return await host.Http.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
