using System.Globalization;
using System.Text;

namespace Actors.Api.Access;

/// <summary>
/// The name of an API key, under which its runs stand in the ledger: 1 to 100 printable characters, neither beginning
/// nor ending with a space.
/// </summary>
public sealed record ApiKeyName
{
    public const int MaxLength = 100;

    private ApiKeyName(string value) => Value = value;

    public string Value { get; }

    /// <summary>Takes a name, or says in one sentence what is wrong with it.</summary>
    public static ApiKeyName? Parse(string text, out string? advice)
    {
        ArgumentNullException.ThrowIfNull(text);
        var length = text.EnumerateRunes().Count();
        advice = (text, length) switch
        {
            (_, 0) => "The name of an API key is empty; give it one that tells who uses it, such as 'nightly-import'.",
            (_, > MaxLength) => $"The name of an API key is {length} characters long; give it at most {MaxLength}.",
            _ when text.Trim() != text =>
                $"The name '{Printable(text)}' begins or ends with a space; leave that out.",
            _ when !text.EnumerateRunes().All(rune => IsPrintable(Rune.GetUnicodeCategory(rune))) =>
                $"The name '{Printable(text)}' has a character that cannot be printed; use letters, digits and signs.",
            _ => null,
        };
        return advice is null ? new ApiKeyName(text) : null;
    }

    public override string ToString() => Value;

    private static string Printable(string text) => string.Concat(text.EnumerateRunes()
        .Select(rune => IsPrintable(Rune.GetUnicodeCategory(rune)) ? rune.ToString() : "?"));

    // A lone surrogate is enumerated as U+FFFD, a symbol: PostgreSQL would store it, but it names nothing.
    private static bool IsPrintable(UnicodeCategory category) => category is not (
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse
        or UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);
}
