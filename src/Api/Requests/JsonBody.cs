using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using Actors.Api.Errors;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using NodaTime;
using NodaTime.Text;

namespace Actors.Api.Requests;

/// <summary>
/// The body of a request: a JSON object whose properties are taken out one by one, each with what is wrong with it.
/// A property that is null counts as left out, unless <see cref="RefuseNulls"/> says otherwise. No body at all counts
/// as an object without properties. JSON is UTF-8 (RFC 8259): what a charset says beside it means nothing.
/// </summary>
internal sealed class JsonBody
{
    private static readonly JsonDocumentOptions Strictly = new() { MaxDepth = 8, AllowDuplicateProperties = false };

    private static readonly LocalTimePattern[] Times =
        [.. ((string[])["HH:mm", "HH:mm:ss"]).Select(LocalTimePattern.CreateWithInvariantCulture)];

    private readonly Dictionary<string, JsonElement> _given;
    private readonly Dictionary<string, string[]> _problems;
    private readonly string _within;

    private JsonBody(Dictionary<string, JsonElement> given, Dictionary<string, string[]> problems, string within) =>
        (_given, _problems, _within) = (given, problems, within);

    /// <summary>Reads a body, and refuses properties that the endpoint does not take.</summary>
    /// <param name="request">Whose body it is.</param>
    /// <param name="names">Every property that the endpoint takes, in camelCase.</param>
    /// <returns>Either the body, or the answer to one that is no JSON object.</returns>
    public static async Task<(JsonBody? Body, ProblemHttpResult? Malformed)> ReadAsync(
        HttpRequest request, params string[] names)
    {
        using var bytes = new MemoryStream();
        await request.Body.CopyToAsync(bytes, request.HttpContext.RequestAborted);
        if (bytes.Length == 0) return (Of([], names), null);
        if (!request.HasJsonContentType()) return (null, ApiError.NotJson.ToProblem());
        return TryParse(bytes.ToArray(), out var given)
            ? (Of(given, names), null)
            : (null, NoObject(names).ToProblem());
    }

    /// <summary>For a body whose nulls would mean that something is taken away which must have a value.</summary>
    public void RefuseNulls()
    {
        foreach (var (name, _) in _given.Where(property => property.Value.ValueKind == JsonValueKind.Null))
            Refuse(name, $"{name} is null, and must have a value; leave it out to keep it as it is.");
    }

    /// <summary>Notes that a property is not there that must be.</summary>
    public void Require(string name, string what)
    {
        if (Given(name) is null) Refuse(name, $"{name} is missing; send {what}.");
    }

    /// <summary>Notes what is wrong with a property; the first such note counts.</summary>
    public void Refuse(string name, string advice) => _problems.TryAdd(_within + name, [advice]);

    /// <summary>The answer to a body that is not as it should be; null where all is well.</summary>
    public ProblemHttpResult? Refusal() =>
        _problems.Count == 0 ? null : ApiError.InvalidBody.ToProblem(("errors", _problems));

    /// <summary>Some text as it stands, or null.</summary>
    public string? Text(string name)
    {
        if (Given(name) is not { } value) return null;
        if (value.ValueKind == JsonValueKind.String && value.GetString() is { } text) return text;
        Refuse(name, $"{name} is {Kind(value)}; expected is a text.");
        return null;
    }

    /// <summary>One word of a list, or null.</summary>
    public string? Word(string name, params string[] words) => Parsed(
        name, text => words.Contains(text) ? text : null, "one of " + List(words));

    /// <summary>A UUID in the form with hyphens, or null.</summary>
    public Guid? Id(string name) => ParsedValue<Guid>(
        name, text => Guid.TryParseExact(text, "D", out var id) ? id : null, "a UUID");

    /// <summary>A time of day without fractions of a second, or null.</summary>
    public LocalTime? Time(string name) => ParsedValue<LocalTime>(
        name,
        text => Times.Select(pattern => pattern.Parse(text)).FirstOrDefault(time => time.Success)?.Value,
        "a time from 00:00:00 to 23:59:59, as HH:mm or HH:mm:ss");

    /// <summary>A whole number between two bounds, both included, or null.</summary>
    public int? Number(string name, int least, int largest)
    {
        if (Given(name) is not { } value) return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number)
            && number >= least && number <= largest)
        {
            return number;
        }

        var got = value.ValueKind == JsonValueKind.Number ? PlainText.Shown(value.GetRawText()) : Kind(value);
        Refuse(name, string.Create(
            CultureInfo.InvariantCulture, $"{name} is {got}; expected is a whole number from {least} to {largest}."));
        return null;
    }

    /// <summary>An object within this one, whose problems are this one's too, or null.</summary>
    /// <param name="name">The property that holds it.</param>
    /// <param name="names">Every property that it may have.</param>
    public JsonBody? Object(string name, params string[] names)
    {
        if (Given(name) is not { } value) return null;
        if (value.ValueKind == JsonValueKind.Object)
            return Of(PropertiesOf(value), names, _problems, $"{_within}{name}.");
        Refuse(name, $"{name} is {Kind(value)}; expected is an object of {List(names)}.");
        return null;
    }

    /// <summary>A list of texts, in which null stands for whatever is none, or null.</summary>
    public IReadOnlyList<string?>? Texts(string name)
    {
        if (Given(name) is not { } value) return null;
        if (value.ValueKind == JsonValueKind.Array)
            return
            [
                .. value.EnumerateArray().Select(one => one.ValueKind == JsonValueKind.String ? one.GetString() : null),
            ];
        Refuse(name, $"{name} is {Kind(value)}; expected is a list.");
        return null;
    }

    private static JsonBody Of(
        Dictionary<string, JsonElement> given, string[] names, Dictionary<string, string[]>? problems = null,
        string within = "")
    {
        var body = new JsonBody(given, problems ?? new(StringComparer.Ordinal), within);
        foreach (var stranger in given.Keys.Except(names))
        {
            var meant = NearestName.Of(stranger, names) is { } near ? $"; did you mean {near}?" : ".";
            var place = within.Length == 0 ? "this address" : within.TrimEnd('.');
            body.Refuse(PlainText.Shown(stranger), $"There is no such property; {place} takes {List(names)}{meant}");
        }

        return body;
    }

    private T? ParsedValue<T>(string name, Func<string, T?> parse, string expected)
        where T : struct
    {
        T? parsed = null;
        Parsed(name, text => (parsed = parse(text)) is null ? null : text, expected);
        return parsed;
    }

    private string? Parsed(string name, Func<string, string?> parse, string expected)
    {
        if (Text(name) is not { } text) return null;
        var parsed = parse(text);
        if (parsed is null) Refuse(name, $"{name} is '{PlainText.Shown(text)}'; expected is {expected}.");
        return parsed;
    }

    private JsonElement? Given(string name) =>
        _given.TryGetValue(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private static ApiError NoObject(string[] names) => ApiError.MalformedBody with
    {
        Detail = $"Send a JSON object in UTF-8, each property once; this address takes {List(names)}.",
    };

    private static string List(string[] names) => string.Join(", ", names);

    private static string Kind(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => "a text",
        JsonValueKind.Number => "a number",
        JsonValueKind.True or JsonValueKind.False => "true or false",
        JsonValueKind.Array => "a list",
        _ => "an object",
    };

    private static bool TryParse(byte[] json, [NotNullWhen(true)] out Dictionary<string, JsonElement>? given)
    {
        given = null;
        try
        {
            using var document = JsonDocument.Parse(json, Strictly);
            if (document.RootElement.ValueKind != JsonValueKind.Object) return false;
            ReadTexts(document.RootElement);
            given = PropertiesOf(document.RootElement.Clone());
            return true;
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)
        {
            return false;
        }
    }

    private static Dictionary<string, JsonElement> PropertiesOf(JsonElement value) => value.EnumerateObject()
        .ToDictionary(property => property.Name, property => property.Value, StringComparer.Ordinal);

    /// <summary>Throws where there is half a surrogate pair, which no text can hold, however deep it stands.</summary>
    private static void ReadTexts(JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                value.GetString();
                break;
            case JsonValueKind.Array:
                foreach (var one in value.EnumerateArray()) ReadTexts(one);
                break;
            case JsonValueKind.Object:
                foreach (var property in value.EnumerateObject())
                {
                    _ = property.Name;
                    ReadTexts(property.Value);
                }

                break;
        }
    }
}
