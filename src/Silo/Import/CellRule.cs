using System.Buffers;
using System.Globalization;
using Actors.Api.Requests;

namespace Actors.Silo.Import;

/// <summary>
/// What a cell may say. What a rule accepts, PostgreSQL reads as the same value, so an accepted cell is staged as it
/// stands.
/// </summary>
/// <param name="Accepts">Whether a value, never empty, is good.</param>
/// <param name="Complaint">
/// What is wrong with a refused value, as the end of a sentence that starts with its column and the value. It is asked
/// for only where the error is shown: looking for the nearest name among all zones for each of a million lines would
/// take minutes.
/// </param>
internal sealed record CellRule(Func<string, bool> Accepts, Func<string, string> Complaint)
{
    private const int LongestName = 500;
    private const decimal AmountLimit = 10_000_000_000m;
    private static readonly SearchValues<char> UuidCharacters = SearchValues.Create("0123456789abcdefABCDEF-");
    private static readonly SearchValues<char> NumberCharacters = SearchValues.Create("0123456789.");
    private static readonly string[] TimeFormats = ["HH:mm", "HH:mm:ss"];

    /// <summary>The form with hyphens and without braces, in either case.</summary>
    public static CellRule Uuid { get; } = new(
        value => value.Length == 36
            && value.AsSpan().IndexOfAnyExcept(UuidCharacters) < 0 && Guid.TryParseExact(value, "D", out _),
        _ => "is not a uuid");

    /// <summary>At most 500 characters, at least one that can be seen, no control character.</summary>
    public static CellRule Name { get; } = new(
        value => value.Length <= LongestName && !value.Any(char.IsControl) && !string.IsNullOrWhiteSpace(value),
        value => value.FirstOrDefault(char.IsControl, ' ') is var control and not ' '
            ? $"contains a control character (U+{(int)control:X4})"
            : value.Length > LongestName ? $"is longer than {LongestName} characters" : "is blank");

    /// <summary>What numeric(12,2) holds without rounding, from zero on.</summary>
    public static CellRule Amount { get; } = new(
        value => IsDecimal(value, out var amount) && amount.Scale <= 2 && amount < AmountLimit, AmountComplaint);

    /// <summary>yyyy-MM-dd, in the years 1900 to 2200.</summary>
    public static CellRule Date { get; } = new(
        value => IsDate(value, out var date) && date.Year is >= 1900 and <= 2200,
        value => IsDate(value, out _)
            ? "is not in the years 1900 to 2200"
            : "is not a date; write it as yyyy-MM-dd");

    /// <summary>HH:mm or HH:mm:ss, from 00:00:00 to 23:59:59.</summary>
    public static CellRule CutoffTime { get; } = new(
        value => TimeOnly.TryParseExact(value, TimeFormats, CultureInfo.InvariantCulture, DateTimeStyles.None, out _),
        _ => "is not a time from 00:00:00 to 23:59:59; write it as HH:mm or HH:mm:ss");

    /// <summary>A whole number of days from 1 to 30.</summary>
    public static CellRule DueSoonDays { get; } = new(
        // .NET takes trailing NUL characters too, which PostgreSQL does not.
        value => int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var days)
            && days is >= 1 and <= 30 && !value.Contains('\0', StringComparison.Ordinal),
        _ => "is not a whole number from 1 to 30");

    /// <summary>One of the words that the status column takes.</summary>
    public static CellRule Status(IReadOnlyList<string> words) => new(
        words.Contains,
        value => NearestName.Of(value, words) is { } nearest
            ? $"does not exist; did you mean '{nearest}'?"
            : $"does not exist; there are {string.Join(", ", words)}");

    private static string AmountComplaint(string value)
    {
        if (value.StartsWith('-') && IsNumber(value.AsSpan(1))) return "is negative";
        if (!IsNumber(value)) return "is not a number; write it like 1234.50";
        return value.IndexOf('.') is >= 0 and var point && value.Length - point > 3
            ? "has more than 2 decimals"
            : "is more than 9999999999.99";
    }

    private static bool IsDecimal(string value, out decimal number)
    {
        number = 0;
        return IsNumber(value)
            && decimal.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out number);
    }

    private static bool IsNumber(ReadOnlySpan<char> value) =>
        value.IndexOfAnyExcept(NumberCharacters) < 0 && value.Count('.') <= 1 && value.IndexOfAnyExcept('.') >= 0;

    private static bool IsDate(string value, out DateOnly date) => DateOnly.TryParseExact(
        value, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out date);
}
