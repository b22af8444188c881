using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Actors.Tests.Integration.Api.Contract;

/// <summary>
/// Values for the schemas of the API's document: as they should be, nearly so, and not at all. The same seed makes the
/// same values.
/// </summary>
/// <param name="document">The root, in which references are looked up.</param>
/// <param name="known">
/// Ids of things that are there, by what addresses call them, so that some requests come far.
/// </param>
internal sealed class GeneratedValues(
    Random random, JsonElement document, IReadOnlyDictionary<string, IReadOnlyList<string>> known)
{
    private readonly IReadOnlyList<string> _ids = [.. known.OrderBy(kind => kind.Key).SelectMany(kind => kind.Value)];

    private static readonly string[] Texts =
    [
        "", " ", "a", "Brisbane Learning", "Ünïcødé ✓", "😀", "\u202Eabc", "a\0b", "\u0001", "\t\r\n", "null",
        "' OR 1=1 --", "'; DROP TABLE agencies; --", "$1", "%", "_", "\\", "${jndi:x}", "<script>", "=1+1", "../..",
        "Australia/Brisbane", "UTC", "Nowhere/Land", "17:00", "17:00:00", "25:00", "2026-08-09", "2026-02-30",
        "0000-00-00", "2026-08-09T07:00:00Z", "2026-08-09T07:00:00+10:00", "9999-12-31T23:59:59Z",
        "0001-01-01T00:00:00+18:00", "+292278994-08-16T23:00:00Z", "0", "-1", "1", "1e400", "NaN", "1.5",
        "99999999999999999999", "0x10", "asc", "csv", "open", "running", "overdue", "catchUp", "skip",
        "a0000000-0000-4000-8000-000000000001", "00000000-0000-0000-0000-000000000000", "{}", "[]", "\"",
    ];

    public bool Chance(int percent) => random.Next(100) < percent;

    public T Pick<T>(IReadOnlyList<T> choices) => choices[random.Next(choices.Count)];

    /// <summary>Some text for a parameter of this schema.</summary>
    public string TextFor(JsonElement schema) => Chance(70)
        ? AsText(ValidFor(schema, 0))
        : Chance(90) ? Pick(Texts) : new string('x', random.Next(1, 4_000));

    /// <summary>The id of something that is called so, such as `agencies`; now and then any text.</summary>
    public string IdOf(string kind, JsonElement schema) =>
        Chance(70) && known.TryGetValue(kind, out var ids) ? Pick(ids) : TextFor(schema);

    /// <summary>A body for a schema; now and then one that is anything else.</summary>
    public string BodyFor(JsonElement schema)
    {
        if (Chance(3)) return string.Concat(Enumerable.Repeat("[", random.Next(1, 9_000)));
        if (Chance(3)) return Deep("[", "", "]", 8_000);
        if (Chance(3)) return Deep("""{"reason":""", "1", "}", 1_600);
        if (Chance(3)) return Deep("""{"filter":""", "{}", "}", 12);
        if (Chance(4)) return new string('{', 3) + Pick(Texts);
        if (Chance(3)) return $$"""{"reason":"{{new string('x', 20_000)}}"}""";
        return Chance(5)
            ? JsonSerializer.Serialize(Pick(Texts))
            : (ValidFor(schema, 0) ?? JsonValue.Create((string?)null))?.ToJsonString() ?? "null";
    }

    private JsonNode? ValidFor(JsonElement schema, int depth)
    {
        schema = Resolve(schema);
        if (depth > 6 || Chance(8)) return Anything(depth);
        foreach (var choice in (string[])["oneOf", "anyOf"])
            if (schema.TryGetProperty(choice, out var choices))
                return ValidFor(Pick([.. choices.EnumerateArray()]), depth + 1);
        if (schema.TryGetProperty("examples", out var examples) && Chance(60))
            return JsonNode.Parse(Pick([.. examples.EnumerateArray()]).GetRawText());
        if (schema.TryGetProperty("enum", out var words))
            return JsonNode.Parse(Pick([.. words.EnumerateArray()]).GetRawText());
        return TypeOf(schema) switch
        {
            "object" => ObjectFor(schema, depth),
            "array" => ArrayFor(schema, depth),
            "integer" or "number" => NumberFor(schema),
            "boolean" => JsonValue.Create(Chance(50)),
            "null" => null,
            _ => JsonValue.Create(StringFor(schema)),
        };
    }

    private JsonObject ObjectFor(JsonElement schema, int depth)
    {
        var made = new JsonObject();
        if (schema.TryGetProperty("properties", out var properties))
        {
            foreach (var property in properties.EnumerateObject().Where(_ => Chance(80)))
                made[property.Name] = ValidFor(property.Value, depth + 1);
        }

        if (Chance(5)) made[Pick(Texts)] = Anything(depth + 1);
        return made;
    }

    private JsonArray ArrayFor(JsonElement schema, int depth)
    {
        var made = new JsonArray();
        if (!schema.TryGetProperty("items", out var items)) return made;
        for (var count = random.Next(4); count > 0; count--) made.Add(ValidFor(items, depth + 1));
        return made;
    }

    private JsonNode NumberFor(JsonElement schema)
    {
        var least = schema.TryGetProperty("minimum", out var minimum) ? minimum.GetInt64() : 0;
        var most = schema.TryGetProperty("maximum", out var maximum) ? maximum.GetInt64() : 1_000;
        return random.Next(12) switch
        {
            0 => JsonValue.Create(least - 1),
            1 => JsonValue.Create(most + 1),
            2 => JsonNode.Parse("1e308")!,
            3 => JsonNode.Parse("99999999999999999999999999")!,
            4 => JsonValue.Create(1.5),
            _ => JsonValue.Create(random.NextInt64(least, most + 1)),
        };
    }

    private string StringFor(JsonElement schema) =>
        (schema.TryGetProperty("format", out var format) ? format.GetString() : null) switch
        {
            "uuid" => Chance(70) ? Pick(_ids) : SomeId(),
            "date-time" => $"20{random.Next(20, 40)}-0{random.Next(1, 10)}-1{random.Next(10)}T07:00:00Z",
            "date" => $"20{random.Next(20, 40)}-0{random.Next(1, 10)}-1{random.Next(10)}",
            _ => Pick(Texts),
        };

    private string SomeId()
    {
        var bytes = new byte[16];
        random.NextBytes(bytes);
        return new Guid(bytes).ToString();
    }

    private string Deep(string open, string middle, string close, int deepest)
    {
        var depth = random.Next(1, deepest);
        return string.Concat(Enumerable.Repeat(open, depth)) + middle + string.Concat(Enumerable.Repeat(close, depth));
    }

    private JsonNode? Anything(int depth) => random.Next(7) switch
    {
        0 => null,
        1 => JsonValue.Create(Pick(Texts)),
        2 => JsonValue.Create(random.NextInt64()),
        3 => JsonValue.Create(Chance(50)),
        4 => new JsonObject { [Pick(Texts)] = Pick(Texts) },
        5 when depth < 6 => new JsonArray(Anything(depth + 1), Anything(depth + 1)),
        _ => JsonValue.Create(new string('ä', random.Next(2_000))),
    };

    private JsonElement Resolve(JsonElement schema)
    {
        while (schema.TryGetProperty("$ref", out var reference))
        {
            var target = document;
            foreach (var step in reference.GetString()!.TrimStart('#', '/').Split('/'))
                target = target.GetProperty(step);
            schema = target;
        }

        return schema;
    }

    private string? TypeOf(JsonElement schema)
    {
        if (!schema.TryGetProperty("type", out var type)) return null;
        return type.ValueKind == JsonValueKind.String
            ? type.GetString()
            : Pick([.. type.EnumerateArray().Select(one => one.GetString()!)]);
    }

    private static string AsText(JsonNode? value) => value switch
    {
        null => "",
        JsonValue text when text.TryGetValue<string>(out var plain) => plain,
        JsonValue number when number.TryGetValue<double>(out var plain) => plain.ToString(CultureInfo.InvariantCulture),
        _ => value.ToJsonString(),
    };
}
