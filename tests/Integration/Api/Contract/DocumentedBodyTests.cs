using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Xunit;

namespace Actors.Tests.Integration.Api.Contract;

/// <summary>
/// The bodies of requests are what the API's document says they are, to the letter: who makes a client from it sends
/// nothing that is refused, and is told of everything that would be.
/// </summary>
public sealed class DocumentedBodyTests(OpenProcess process) : IClassFixture<OpenProcess>
{
    [Fact]
    public async Task What_a_schema_requires_is_enough_and_what_may_be_null_may_be()
    {
        var complaints = new List<string>();
        foreach (var (operation, schema, _) in await BodiesAsync())
        {
            var required = Required(schema);
            await SendAsync("what is required", required);
            foreach (var (name, member) in Members(schema).Where(member => MayBeNull(member.Schema)))
                await SendAsync($"{name} null", With(required, name, null));
            foreach (var (name, member) in Members(schema))
                foreach (var value in Valid(member))
                    await SendAsync($"{name} {value}", With(required, name, value));

            async Task SendAsync(string what, JsonNode body)
            {
                if (await CodeAsync(operation, body.ToJsonString()) is "invalid-body" or "malformed-body" or "not-json")
                    complaints.Add($"{operation}: {what} is refused");
            }
        }

        Assert.Empty(complaints);
    }

    [Fact]
    public async Task What_a_schema_does_not_allow_is_refused()
    {
        var complaints = new List<string>();
        foreach (var (operation, schema, _) in await BodiesAsync())
        {
            var required = Required(schema);
            foreach (var name in required.Select(member => member.Key).ToArray())
                await SendAsync($"to leave out {name}", Without(required, name));
            foreach (var (name, member) in Members(schema))
            {
                if (!MayBeNull(member)) await SendAsync($"{name} null", With(required, name, null));
                foreach (var value in Invalid(member)) await SendAsync($"{name} {value}", With(required, name, value));
            }

            await SendAsync("an unknown member", With(required, "stranger", 1));

            async Task SendAsync(string what, JsonNode body)
            {
                if (await CodeAsync(operation, body.ToJsonString()) != "invalid-body")
                    complaints.Add($"{operation}: {what} is taken");
            }
        }

        Assert.Empty(complaints);
    }

    [Fact]
    public async Task A_body_that_need_not_be_there_need_not()
    {
        var bodies = await BodiesAsync();

        Assert.Equal(
            ["POST /api/agencies/{id}/runs", "POST /api/alerts/{id}/acknowledge", "POST /api/runs"],
            bodies.Where(body => !body.IsRequired).Select(body => $"{body.Operation}").Order(StringComparer.Ordinal));
        foreach (var body in bodies.Where(body => !body.IsRequired))
            Assert.DoesNotContain(
                await CodeAsync(body.Operation, null), new[] { "invalid-body", "malformed-body", "not-json" });
    }

    /// <summary>Every operation with a body, and the schema of its first media type.</summary>
    private async Task<List<(DocumentedOperation Operation, JsonElement Schema, bool IsRequired)>> BodiesAsync()
    {
        var text = await process.Http.GetStringAsync(
            new Uri("/openapi/v1.json", UriKind.Relative), TestContext.Current.CancellationToken);
        var document = JsonDocument.Parse(text).RootElement;
        var bodies = new List<(DocumentedOperation, JsonElement, bool)>();
        foreach (var operation in DocumentedOperation.In(document))
        {
            if (!operation.Operation.TryGetProperty("requestBody", out var body)) continue;
            var schema = Resolved(body.GetProperty("content").EnumerateObject().First().Value.GetProperty("schema"));
            bodies.Add((operation, schema, body.TryGetProperty("required", out var must) && must.GetBoolean()));
        }

        Assert.Equal(8, bodies.Count);
        return bodies;

        JsonElement Resolved(JsonElement schema) => schema.TryGetProperty("$ref", out var name)
            ? document.GetProperty("components").GetProperty("schemas")
                .GetProperty(name.GetString()!.Split('/')[^1])
            : schema;
    }

    /// <summary>Sends a body for something that is not there; answers the `code`, or nothing if all was well.</summary>
    private async Task<string> CodeAsync(DocumentedOperation operation, string? body)
    {
        var path = operation.Path.Replace("{id}", $"{Guid.NewGuid()}", StringComparison.Ordinal);
        using var request = new HttpRequestMessage(new HttpMethod(operation.Method), new Uri(path, UriKind.Relative))
        {
            Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json"),
        };
        using var answer = await process.Http.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.True(answer.StatusCode < HttpStatusCode.InternalServerError, $"{operation}: {answer.StatusCode}");
        if (answer.IsSuccessStatusCode) return "";
        var problem = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        return JsonNode.Parse(problem)!["code"]!.GetValue<string>();
    }

    private static JsonObject Required(JsonElement schema)
    {
        var required = schema.TryGetProperty("required", out var names)
            ? names.EnumerateArray().Select(name => name.GetString()!).ToArray()
            : [];
        return new JsonObject(Members(schema).Where(member => required.Contains(member.Name))
            .Select(member => KeyValuePair.Create(member.Name, (JsonNode?)Valid(member.Schema).First().DeepClone())));
    }

    private static IEnumerable<(string Name, JsonElement Schema)> Members(JsonElement schema) =>
        schema.GetProperty("properties").EnumerateObject().Select(member => (member.Name, member.Value));

    private static JsonObject With(JsonObject body, string name, JsonNode? value)
    {
        var changed = (JsonObject)body.DeepClone();
        changed[name] = value?.DeepClone();
        return changed;
    }

    private static JsonObject Without(JsonObject body, string name)
    {
        var changed = (JsonObject)body.DeepClone();
        changed.Remove(name);
        return changed;
    }

    private static bool MayBeNull(JsonElement schema) => schema.TryGetProperty("oneOf", out var choices)
        ? choices.EnumerateArray().Any(MayBeNull)
        : TypesOf(schema).Contains("null");

    /// <summary>Values at the edge of what a member may hold.</summary>
    private static IEnumerable<JsonNode> Valid(JsonElement schema)
    {
        if (schema.TryGetProperty("enum", out var words))
        {
            foreach (var word in words.EnumerateArray().Where(word => word.ValueKind == JsonValueKind.String))
                yield return word.GetString()!;
        }
        else if (schema.TryGetProperty("examples", out var examples))
        {
            foreach (var example in examples.EnumerateArray()) yield return JsonNode.Parse(example.GetRawText())!;
        }
        else if (schema.TryGetProperty("minimum", out var least))
        {
            yield return least.GetInt32();
            yield return schema.GetProperty("maximum").GetInt32();
        }
        else if (schema.TryGetProperty("format", out var format) && format.GetString() == "uuid")
        {
            yield return $"{Guid.NewGuid()}";
        }
        else if (TypesOf(schema).Contains("string"))
        {
            yield return "x";
            if (schema.TryGetProperty("maxLength", out var most)) yield return new string('x', most.GetInt32());
        }
        else if (TypesOf(schema).Contains("array"))
        {
            yield return new JsonArray();
        }
    }

    /// <summary>Values just beyond the edge.</summary>
    private static IEnumerable<JsonNode> Invalid(JsonElement schema)
    {
        yield return true;
        if (schema.TryGetProperty("enum", out _)) yield return "no such word";
        if (schema.TryGetProperty("minimum", out var least)) yield return least.GetInt32() - 1;
        if (schema.TryGetProperty("maximum", out var largest)) yield return largest.GetInt32() + 1;
        if (schema.TryGetProperty("minLength", out _)) yield return "";
        if (schema.TryGetProperty("pattern", out _)) yield return " ";
        if (schema.TryGetProperty("maxLength", out var most)) yield return new string('x', most.GetInt32() + 1);
        if (schema.TryGetProperty("format", out var format) && format.GetString() == "uuid") yield return "x";
    }

    private static IReadOnlyList<string> TypesOf(JsonElement schema) => !schema.TryGetProperty("type", out var type)
        ? []
        : type.ValueKind == JsonValueKind.String
            ? [type.GetString()!]
            : [.. type.EnumerateArray().Select(one => one.GetString()!)];
}
