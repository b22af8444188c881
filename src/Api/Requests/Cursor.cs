using System.Buffers.Text;
using System.Globalization;
using System.Text.Json;
using NodaTime;
using NodaTime.Text;

namespace Actors.Api.Requests;

/// <summary>
/// Where a page ended: the list, its order, and the keys of the last row. To callers it is opaque text; nothing in it
/// is secret, and nothing in it is trusted: the keys come out as the types that the list expects, or not at all.
/// </summary>
public static class Cursor
{
    /// <summary>In characters; keys that are texts are cut by their lists to stay far below.</summary>
    private const int MaxLength = 2_000;

    /// <summary>The one query parameter in which a cursor comes back.</summary>
    public static QueryParameter Parameter { get; } = new(
        "cursor", QueryKind.Text, "Where the page before ended: the `next` of its answer. Left out for the first page.")
    {
        MaxLength = MaxLength,
    };

    /// <param name="list">The name of the list and of its order, which a cursor of another does not fit.</param>
    /// <param name="keys">
    /// What the list is ordered by, of its last row, ending with a unique one: texts, <see cref="Guid"/>,
    /// <see cref="long"/>, <see cref="Instant"/>, <see cref="LocalDate"/>, or null.
    /// </param>
    public static string Write(string list, params object?[] keys) =>
        Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes<string?[]>([list, .. keys.Select(Text)]));

    /// <summary>The keys in a cursor of this list, or null where it is none.</summary>
    /// <param name="text">What the request says.</param>
    /// <param name="list">The name of the list and of its order.</param>
    /// <param name="kinds">What the list is ordered by.</param>
    public static object?[]? Read(string text, string list, params QueryKind[] kinds)
    {
        if (PartsOf(text) is not { } parts || parts.Length != kinds.Length + 1 || parts[0] != list) return null;
        var keys = new object?[kinds.Length];
        for (var key = 0; key < kinds.Length; key++)
        {
            var part = parts[key + 1];
            if (part is not null) keys[key] = Parse(part, kinds[key]);
            // A key may be null, but not the unique one at the end.
            if (keys[key] is null && (part is not null || key == kinds.Length - 1)) return null;
        }

        return keys;
    }

    private static string?[]? PartsOf(string text)
    {
        if (text.Length > MaxLength || !Base64Url.IsValid(text)) return null;
        try
        {
            return JsonSerializer.Deserialize<string?[]>(Base64Url.DecodeFromChars(text));
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string? Text(object? key) => key switch
    {
        null => null,
        string text => text,
        Guid id => id.ToString(),
        Instant instant => InstantPattern.ExtendedIso.Format(instant),
        LocalDate date => LocalDatePattern.Iso.Format(date),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => throw new ArgumentException($"A cursor cannot hold a {key.GetType().Name}.", nameof(key)),
    };

    private static object? Parse(string text, QueryKind kind) => kind switch
    {
        QueryKind.Id => Guid.TryParseExact(text, "D", out var id) ? id : null,
        QueryKind.Number => long.TryParse(text, CultureInfo.InvariantCulture, out var number) ? number : null,
        QueryKind.Instant => InstantPattern.ExtendedIso.Parse(text) is { Success: true } instant
            && instant.Value >= Earliest && instant.Value <= Latest ? instant.Value : null,
        QueryKind.Date => LocalDatePattern.Iso.Parse(text) is { Success: true, Value.Year: >= 1 and <= 9_998 } date
            ? date.Value
            : null,
        _ => PlainText.IsStorable(text) ? text : null,
    };

    // What PostgreSQL and NodaTime both hold.
    private static readonly Instant Earliest = Instant.FromUtc(1, 1, 1, 0, 0);
    private static readonly Instant Latest = Instant.FromUtc(9_998, 12, 31, 23, 59);
}
