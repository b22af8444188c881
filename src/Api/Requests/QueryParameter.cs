using System.Globalization;
using NodaTime;
using NodaTime.Text;

namespace Actors.Api.Requests;

/// <summary>What a query parameter holds.</summary>
public enum QueryKind
{
    /// <summary>Some text, on one line.</summary>
    Text,

    /// <summary>A UUID.</summary>
    Id,

    /// <summary>A whole number between two bounds, both included.</summary>
    Number,

    /// <summary>One word of a list.</summary>
    Word,

    /// <summary>An instant in RFC 3339, with any offset.</summary>
    Instant,

    /// <summary>A date, such as 2026-08-09.</summary>
    Date,
}

/// <summary>
/// One parameter of an address's query, declared once: requests are checked against it, and the API's document is
/// written from it. Every parameter may be left out.
/// </summary>
/// <param name="Name">In camelCase, as it stands in the address.</param>
/// <param name="Kind">What it holds.</param>
/// <param name="Description">For whoever reads the document, a sentence.</param>
public sealed record QueryParameter(string Name, QueryKind Kind, string Description)
{
    /// <summary>The longest <see cref="QueryKind.Text"/>, in characters.</summary>
    public int MaxLength { get; init; } = 200;

    /// <summary>The words of a <see cref="QueryKind.Word"/>.</summary>
    public IReadOnlyList<string> Words { get; init; } = [];

    /// <summary>The least and the largest <see cref="QueryKind.Number"/>.</summary>
    public (int Least, int Largest) Bounds { get; init; } = (0, int.MaxValue);

    /// <summary>What is taken where it is left out; null where that means no restriction.</summary>
    public string? Default { get; init; }

    public static QueryParameter Text(string name, string description) => new(name, QueryKind.Text, description);

    public static QueryParameter Id(string name, string description) => new(name, QueryKind.Id, description);

    public static QueryParameter Word(string name, string description, params string[] words) =>
        new(name, QueryKind.Word, description) { Words = words };

    public static QueryParameter Instant(string name, string description) => new(name, QueryKind.Instant, description);

    public static QueryParameter Date(string name, string description) => new(name, QueryKind.Date, description);

    public static QueryParameter Number(string name, string description, int least, int largest, int? @default = null)
        => new(name, QueryKind.Number, description)
        {
            Bounds = (least, largest),
            Default = @default is { } number ? FormattableString.Invariant($"{number}") : null,
        };

    /// <summary>
    /// Turns what a request says into a value of this kind, or says in one sentence what is wrong with it. A text that
    /// is not empty never comes out as null without advice.
    /// </summary>
    /// <returns>A string, <see cref="Guid"/>, int, <see cref="NodaTime.Instant"/> or <see cref="LocalDate"/>.</returns>
    public object? Parse(string text, out string? advice)
    {
        object? value = Kind switch
        {
            QueryKind.Id => Guid.TryParseExact(text, "D", out var id) ? id : null,
            QueryKind.Number => NumberIn(text),
            QueryKind.Word => Words.Contains(text) ? text : null,
            QueryKind.Instant => InstantIn(text),
            QueryKind.Date => DateIn(text),
            _ => text.Length <= MaxLength && PlainText.IsOneLine(text) ? text : null,
        };
        advice = value is null ? $"{Name} is '{PlainText.Shown(text)}'; expected is {Expected}." : null;
        return value;
    }

    private string Expected => Kind switch
    {
        QueryKind.Id => "a UUID",
        QueryKind.Number => FormattableString.Invariant($"a whole number from {Bounds.Least} to {Bounds.Largest}"),
        QueryKind.Word => "one of " + string.Join(", ", Words),
        QueryKind.Instant => "an instant such as 2026-08-09T07:00:00Z, with + written as %2B",
        QueryKind.Date => "a date such as 2026-08-09",
        _ => FormattableString.Invariant($"a text of at most {MaxLength} characters on one line"),
    };

    private int? NumberIn(string text) =>
        int.TryParse(text, CultureInfo.InvariantCulture, out var number)
        && number >= Bounds.Least && number <= Bounds.Largest
            ? number
            : null;

    // Years that both NodaTime and PostgreSQL can hold, with room for a zone's offset.
    private static Instant? InstantIn(string text) =>
        OffsetDateTimePattern.Rfc3339.Parse(text) is { Success: true, Value: { Year: >= 1 and <= 9_998 } value }
            ? value.ToInstant()
            : null;

    private static LocalDate? DateIn(string text) =>
        LocalDatePattern.Iso.Parse(text) is { Success: true, Value: { Year: >= 1 and <= 9_998 } value } ? value : null;
}
