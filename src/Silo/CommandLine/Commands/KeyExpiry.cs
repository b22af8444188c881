using System.Globalization;
using NodaTime;
using NodaTime.Text;

namespace Actors.Silo.CommandLine.Commands;

/// <summary>
/// When a key is to expire, as people write it: `90d` or `12h` from now, a date (its first instant in UTC), or an
/// instant such as `2027-01-31T12:00:00Z`. It lies in the future, by at most ten years.
/// </summary>
internal static class KeyExpiry
{
    private const int MaxDays = 3_650;

    /// <summary>The instant, or the sentence that says what is wrong.</summary>
    /// <param name="option">Which option it is the value of.</param>
    /// <param name="text">What was written.</param>
    /// <param name="now">The database's.</param>
    /// <exception cref="CommandFailure">It is no time, or not in the future.</exception>
    public static Instant Read(string option, string text, Instant now)
    {
        var end = FromDuration(text, now)
            ?? (LocalDatePattern.Iso.Parse(text) is { Success: true } date ? date.Value.AtMidnight().InUtc().ToInstant()
                : InstantPattern.ExtendedIso.Parse(text) is { Success: true } instant ? instant.Value
                : throw Wrong("is no time"));
        if (end <= now) throw Wrong($"is past: it is {InstantPattern.General.Format(now)} now");
        if (end > now + Duration.FromDays(MaxDays)) throw Wrong("is more than ten years away");
        return end;

        CommandFailure Wrong(string what) => new(
            ExitCode.BadInput,
            $"{option} '{text}' {what}; expected is a time from now (90d, 12h), a date such as 2027-01-31, or an "
            + "instant such as 2027-01-31T12:00:00Z.");
    }

    // Beyond what is allowed anyway, so that no sum leaves the calendar.
    private static Instant? FromDuration(string text, Instant now)
    {
        if (text.Length is < 2 or > 7 || text[^1] is not ('d' or 'h')) return null;
        if (!int.TryParse(text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var count)) return null;
        return now + (text[^1] == 'd' ? Duration.FromDays(count) : Duration.FromHours(count));
    }
}
