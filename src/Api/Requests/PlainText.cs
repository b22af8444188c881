using System.Text;

namespace Actors.Api.Requests;

/// <summary>What of a text can be stored and shown.</summary>
public static class PlainText
{
    /// <summary>Whether PostgreSQL can hold it: no NUL, and no half of a surrogate pair.</summary>
    public static bool IsStorable(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return !text.Contains('\0') && !HasLoneSurrogate(text);
    }

    /// <summary>Whether it can be stored, and stands on one line.</summary>
    public static bool IsOneLine(string text) => IsStorable(text) && !text.Any(char.IsControl);

    /// <summary>The beginning of what somebody sent, fit for a sentence about it.</summary>
    public static string Shown(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        const int shown = 50;
        var plain = new StringBuilder(shown);
        foreach (var rune in text.EnumerateRunes().Take(shown))
            plain.Append(Rune.IsControl(rune) ? "?" : rune.ToString());
        return text.Length > shown ? plain.Append('…').ToString() : plain.ToString();
    }

    // An unpaired surrogate is enumerated as the replacement character, which is a character of its own right as well.
    private static bool HasLoneSurrogate(string text)
    {
        for (var index = 0; index < text.Length; index++)
        {
            if (!char.IsSurrogate(text[index])) continue;
            if (index + 1 == text.Length || !char.IsSurrogatePair(text[index], text[index + 1])) return true;
            index++;
        }

        return false;
    }
}
