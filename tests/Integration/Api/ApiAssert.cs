using System.Text.Json;
using Xunit;

namespace Actors.Tests.Integration.Api;

internal static class ApiAssert
{
    /// <summary>Reads a body as JSON.</summary>
    public static async Task<JsonElement> JsonAsync(HttpResponseMessage response) =>
        JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;

    /// <summary>Problem details of one status and code, complete, and with no trace of the machinery.</summary>
    public static async Task<JsonElement> ProblemAsync(HttpResponseMessage response, int status, string code)
    {
        var body = await response.Content.ReadAsStringAsync();
        Assert.True((int)response.StatusCode == status, $"{(int)response.StatusCode} {body}");
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        var problem = JsonDocument.Parse(body).RootElement;
        Assert.Equal($"urn:actors:problem:{code}", problem.GetProperty("type").GetString());
        Assert.Equal(code, problem.GetProperty("code").GetString());
        Assert.Equal(status, problem.GetProperty("status").GetInt32());
        Assert.NotEmpty(problem.GetProperty("title").GetString()!);
        Assert.NotEmpty(problem.GetProperty("detail").GetString()!);
        Assert.NotEmpty(problem.GetProperty("traceId").GetString()!);
        TellsNoSecret(body);
        return problem;
    }

    /// <summary>No stack trace, no exception, no connection.</summary>
    public static void TellsNoSecret(string body) => Assert.All(
        ["   at ", "Exception", "hunter2", "127.0.0.1", "Npgsql", "Orleans"],
        secret => Assert.DoesNotContain(secret, body, StringComparison.Ordinal));
}
