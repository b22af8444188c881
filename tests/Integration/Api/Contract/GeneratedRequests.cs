using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Actors.Tests.Integration.Api.Contract;

/// <summary>One operation of the API's document, and what it says that can be answered.</summary>
internal sealed record DocumentedOperation(string Method, string Path, JsonElement Operation)
{
    public static IReadOnlyList<DocumentedOperation> In(JsonElement document) =>
    [
        .. document.GetProperty("paths").EnumerateObject().SelectMany(path => path.Value.EnumerateObject()
            .Where(operation => operation.Name is "get" or "post" or "put" or "patch" or "delete")
            .Select(operation => new DocumentedOperation(
                operation.Name.ToUpperInvariant(), path.Name, operation.Value))),
    ];

    /// <summary>The media types that may be answered with a status; null where that status is not documented.</summary>
    public IReadOnlyList<string>? TypesOf(int status)
    {
        if (!Operation.GetProperty("responses").TryGetProperty($"{status}", out var response)) return null;
        return response.TryGetProperty("content", out var content)
            ? [.. content.EnumerateObject().Select(type => type.Name)]
            : [];
    }

    /// <summary>Whether an answer of this status may have a header.</summary>
    public bool HasHeader(int status, string name) =>
        Operation.GetProperty("responses").GetProperty($"{status}").TryGetProperty("headers", out var headers)
        && headers.TryGetProperty(name, out _);

    public override string ToString() => $"{Method} {Path}";
}

/// <summary>Requests as the API's document describes them, valid and broken; a seed makes the same ones
/// again.</summary>
/// <param name="values">What they are filled with.</param>
/// <param name="tags">Entity tags of things that are there.</param>
internal sealed class GeneratedRequests(GeneratedValues values, IReadOnlyList<string> tags)
{
    private readonly Dictionary<DocumentedOperation, string> _cursors = [];

    private static readonly string[] RawBytes = ["%ff", "%ed%a0%80", "%c0%80", "%25", "+", "%2B", "%0d%0a"];
    private static readonly string[] ContentTypes =
    [
        "application/json", "application/json; charset=utf-8", "application/json; charset=\"utf-8\"",
        "application/json; charset=x", "application/json; charset=utf-7", "text/plain", "application/xml",
        "multipart/form-data",
    ];

    /// <summary>Takes from an answer what a later request can go on with.</summary>
    public void Learn(DocumentedOperation operation, string body)
    {
        if (!body.StartsWith('{')) return;
        using var answer = JsonDocument.Parse(body);
        if (answer.RootElement.TryGetProperty("next", out var next) && next.ValueKind == JsonValueKind.String)
            _cursors[operation] = next.GetString()!;
    }

    public HttpRequestMessage For(DocumentedOperation operation)
    {
        var path = operation.Path;
        var query = new StringBuilder();
        var headers = new List<(string, string)>();
        if (operation.Operation.TryGetProperty("parameters", out var parameters))
        {
            foreach (var parameter in parameters.EnumerateArray())
            {
                var name = parameter.GetProperty("name").GetString()!;
                var text = TextFor(operation, name, parameter.GetProperty("schema"));
                switch (parameter.GetProperty("in").GetString())
                {
                    case "path":
                        path = path.Replace($"{{{name}}}", InPath(text), StringComparison.Ordinal);
                        break;
                    case "query" when values.Chance(40):
                        query.Append('&').Append(name).Append('=').Append(Escaped(text));
                        break;
                    case "header" when values.Chance(70):
                        headers.Add((name, text));
                        break;
                }
            }
        }

        if (values.Chance(3)) query.Append("&unknown=").Append(values.Pick(RawBytes));
        var address = query.Length == 0 ? path : $"{path}?{query.ToString(1, query.Length - 1)}";
        var request = new HttpRequestMessage(new HttpMethod(operation.Method), new Uri(address, UriKind.Relative));
        // What is no header text cannot be sent by any client.
        foreach (var (name, text) in headers.Where(header => header.Item2.All(letter => letter is >= ' ' and < '\x7f')))
            request.Headers.TryAddWithoutValidation(name, text);
        if (values.Chance(10)) request.Headers.TryAddWithoutValidation("Accept", values.Pick(["text/csv", "*/*", "x"]));
        AddBody(request, operation);
        return request;
    }

    private string TextFor(DocumentedOperation operation, string name, JsonElement schema) => name switch
    {
        // An address says before an id what it is an id of.
        "id" => values.IdOf(operation.Path.Split("/{id}")[0].Split('/')[^1], schema),
        "If-Match" when values.Chance(80) => values.Pick(tags),
        "cursor" when values.Chance(70) => _cursors.GetValueOrDefault(operation, "none"),
        _ => values.TextFor(schema),
    };

    private void AddBody(HttpRequestMessage request, DocumentedOperation operation)
    {
        var isDocumented = operation.Operation.TryGetProperty("requestBody", out var body);
        if (!isDocumented && !values.Chance(3)) return;
        var type = "application/json";
        var text = "{}";
        if (isDocumented)
        {
            var content = body.GetProperty("content").EnumerateObject().First();
            type = content.Name;
            text = values.BodyFor(content.Value.GetProperty("schema"));
        }

        if (values.Chance(5)) return;
        request.Content = new ByteArrayContent(
            values.Chance(3) ? [0xff, 0xfe, 0x00, 0xc0] : Encoding.UTF8.GetBytes(text));
        request.Content.Headers.ContentType =
            MediaTypeHeaderValue.Parse(values.Chance(6) ? values.Pick(ContentTypes) : type);
    }

    // An empty segment would be another address; NUL in a path is refused by the HTTP server before there is one.
    private string InPath(string text)
    {
        var plain = text.Replace("\0", "", StringComparison.Ordinal);
        return plain.Trim('.', ' ', '/').Length == 0 ? "x" : Escaped(plain);
    }

    private string Escaped(string text) => values.Chance(2) ? values.Pick(RawBytes) : Uri.EscapeDataString(text);
}
