using Microsoft.AspNetCore.Http;

namespace Actors.Api.Runs;

/// <summary>
/// The header by which whoever asks for a run names the request, so that asking again (after a lost answer, say) is
/// the same run: 1 to 255 printable characters of ASCII. Keys of different callers have nothing to do with each other.
/// </summary>
public static class IdempotencyKey
{
    public const string HeaderName = "Idempotency-Key";

    /// <summary>For the API's document.</summary>
    public const string Description =
        "1 to 255 printable characters that name this request. Sent again with the same body it is answered as it was, "
        + "and nothing is done twice; with another body it is refused.";
    public const int MaxLength = 255;

    /// <summary>Says, beside an answer, that it was given before and nothing was done for it now.</summary>
    public const string ReplayedHeaderName = "Idempotency-Replayed";

    /// <summary>For the API's document.</summary>
    public const string ReplayedDescription =
        "`true` where this is the answer to an earlier request with the same key, and nothing was done now.";

    /// <summary>Takes the key, null where none was sent, or says in one sentence what is wrong with it.</summary>
    public static string? Of(IHeaderDictionary headers, out string? advice)
    {
        ArgumentNullException.ThrowIfNull(headers);
        advice = null;
        var sent = headers[HeaderName];
        if (sent.Count == 0) return null;

        var key = sent[0] ?? "";
        advice = sent.Count > 1 ? $"{HeaderName} is given {sent.Count} times; give it once."
            : key.Length is 0 or > MaxLength
                ? $"{HeaderName} has {key.Length} characters; give it 1 to {MaxLength}, such as a UUID."
            : key.Any(character => character is < ' ' or > '~')
                ? $"{HeaderName} has a character that is not printable ASCII; use letters, digits and signs."
            : null;
        return advice is null ? key : null;
    }
}
