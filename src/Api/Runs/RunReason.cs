using System.Text;

namespace Actors.Api.Runs;

/// <summary>
/// Why somebody asks for a run: at most 1,000 characters of text, on one line or several. It goes into `jobs_log`
/// as it is, so what PostgreSQL cannot hold is refused here.
/// </summary>
public static class RunReason
{
    public const int MaxLength = 1_000;

    /// <summary>Takes a reason, null where none was given, or says in one sentence what is wrong with it.</summary>
    public static string? Parse(string? text, out string? advice)
    {
        advice = null;
        if (string.IsNullOrWhiteSpace(text))
            return null;

        var reason = text.Trim();
        var length = reason.EnumerateRunes().Count();
        if (length > MaxLength)
            advice = $"The reason is {length} characters long; shorten it to at most {MaxLength}.";
        else if (reason.EnumerateRunes().Any(rune => Rune.IsControl(rune) && rune.Value is not ('\n' or '\r' or '\t')))
            advice = "The reason has a control character; leave out all but tabs and line breaks.";
        return advice is null ? reason : null;
    }
}
