using System.Text.Json;
using System.Text.RegularExpressions;

namespace Actors.Tests.Integration.Api.Contract;

/// <summary>One request of an `.http` file.</summary>
/// <param name="Title">What stands behind `###`.</param>
/// <param name="Name">What `# @name` calls it, so that later requests can use its answer; or null.</param>
/// <param name="Expected">The status that `# expect` foretells.</param>
internal sealed record HttpFileRequest(
    string Title, string? Name, int Expected, string Method, string Address,
    IReadOnlyList<(string Name, string Value)> Headers, string? Body);

/// <summary>
/// An `.http` file as editors run it: variables (`@name = value`), requests apart by `###`, and answers of named
/// requests (`{{name.response.body.$.member}}`, `{{name.response.headers.ETag}}`).
/// </summary>
internal sealed partial class HttpFile
{
    private readonly Dictionary<string, string> _variables = new(StringComparer.Ordinal);

    public IReadOnlyList<HttpFileRequest> Requests { get; private init; } = [];

    public static HttpFile Parse(string text)
    {
        var requests = new List<HttpFileRequest>();
        var file = new HttpFile { Requests = requests };
        foreach (var block in text.ReplaceLineEndings("\n").Split("\n###"))
        {
            var lines = block.Split('\n');
            foreach (var variable in lines.Select(line => Variable().Match(line)).Where(match => match.Success))
                file._variables[variable.Groups[1].Value] = variable.Groups[2].Value;
            if (Array.FindIndex(lines, line => RequestLine().IsMatch(line)) is var at && at >= 0)
                requests.Add(RequestIn(lines, at));
        }

        return file;
    }

    /// <summary>Gives a variable another value than the file does, such as the host of this run.</summary>
    public void Set(string name, string value) => _variables[name] = value;

    /// <summary>Keeps what a named request was answered with.</summary>
    public void Keep(string name, HttpResponseMessage answer, string body)
    {
        foreach (var (header, texts) in answer.Headers.Concat(answer.Content.Headers))
            _variables[$"{name}.response.headers.{header}"] = string.Join(",", texts);
        if (!body.StartsWith('{')) return;
        using var json = JsonDocument.Parse(body);
        KeepMembers($"{name}.response.body.$", json.RootElement);
    }

    /// <summary>Puts the variables' values in their places.</summary>
    /// <exception cref="KeyNotFoundException">One of them has none.</exception>
    public string Fill(string text) => Placeholder().Replace(text, match =>
        Fill(_variables.TryGetValue(match.Groups[1].Value, out var value)
            ? value
            : throw new KeyNotFoundException($"Nothing gives {match.Value} a value.")));

    private void KeepMembers(string path, JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var member in element.EnumerateObject()) KeepMembers($"{path}.{member.Name}", member.Value);
                break;
            case JsonValueKind.Array:
                var index = 0;
                foreach (var item in element.EnumerateArray()) KeepMembers($"{path}[{index++}]", item);
                break;
            default:
                _variables[path] = element.ToString();
                break;
        }
    }

    private static HttpFileRequest RequestIn(string[] lines, int at)
    {
        var request = RequestLine().Match(lines[at]);
        var comments = lines[..at];
        var rest = lines[(at + 1)..];
        var blank = Array.FindIndex(rest, string.IsNullOrWhiteSpace);
        var headers = (blank < 0 ? rest : rest[..blank]).Select(line => line.Split(':', 2))
            .Where(parts => parts.Length == 2)
            .Select(parts => (parts[0].Trim(), parts[1].Trim()))
            .ToArray();
        var body = blank < 0 ? "" : string.Join('\n', rest[blank..]).Trim();
        return new HttpFileRequest(
            lines[0].Trim(),
            comments.Select(line => Named().Match(line)).FirstOrDefault(match => match.Success)?.Groups[1].Value,
            int.Parse(comments.Select(line => Expecting().Match(line)).First(match => match.Success).Groups[1].Value,
                System.Globalization.CultureInfo.InvariantCulture),
            request.Groups[1].Value,
            request.Groups[2].Value,
            headers,
            body.Length == 0 ? null : body);
    }

    [GeneratedRegex(@"^@(\w+)\s*=\s*(.*?)\s*$")]
    private static partial Regex Variable();

    [GeneratedRegex(@"^(GET|POST|PATCH|PUT|DELETE) (\S+)")]
    private static partial Regex RequestLine();

    [GeneratedRegex(@"^# @name (\w+)")]
    private static partial Regex Named();

    [GeneratedRegex(@"^# expect (\d{3})")]
    private static partial Regex Expecting();

    [GeneratedRegex(@"\{\{([^}]+)\}\}")]
    private static partial Regex Placeholder();
}
