using F23.StringSimilarity;

namespace Actors.Api.Requests;

/// <summary>Finds the name that a mistyped word was probably meant to be.</summary>
public static class NearestName
{
    private static readonly Damerau Edits = new();

    /// <summary>
    /// The candidate nearest to a word, or null where none is near: at most one letter in five (in a word of four, one
    /// after the first) is missing, added, wrong or swapped with its neighbour. Upper and lower case are the same. Of
    /// names with a path, such as zones, the last part alone may be near too: Honolulu and America/Honolulu both find
    /// Pacific/Honolulu.
    /// </summary>
    /// <param name="word">What was typed.</param>
    /// <param name="candidates">The names that exist. Of equally near ones the first in ordinal order is taken.</param>
    public static string? Of(string word, IEnumerable<string> candidates)
    {
        if (string.IsNullOrWhiteSpace(word)) return null;
        return candidates
            .Select(candidate => (Name: candidate, Distance: Distance(word.Trim(), candidate)))
            .Where(near => near.Distance is not null)
            .OrderBy(near => near.Distance)
            .ThenBy(near => near.Name, StringComparer.Ordinal)
            .Select(near => near.Name)
            .FirstOrDefault();
    }

    /// <summary>The edits by the whole name or, half an edit worse, by its last part; null: both are far.</summary>
    private static double? Distance(string word, string candidate)
    {
        var whole = EditsIfNear(word, candidate);
        var lastPart = candidate.Contains('/', StringComparison.Ordinal)
            ? EditsIfNear(LastPart(word), LastPart(candidate)) + 0.5
            : null;
        return whole <= lastPart || lastPart is null ? whole : lastPart;
    }

    private static double? EditsIfNear(string word, string candidate)
    {
        // Short words get little: from AEST to EST is one letter and half the world.
        var limit = word.Length switch
        {
            < 4 => 0,
            4 => char.ToUpperInvariant(word[0]) == char.ToUpperInvariant(candidate.FirstOrDefault()) ? 1 : 0,
            _ => word.Length / 5,
        };
        // The difference in length is a lower bound, and spares most of the work over a long list.
        if (Math.Abs(word.Length - candidate.Length) > limit) return null;
        var edits = Edits.Distance(word.ToUpperInvariant(), candidate.ToUpperInvariant());
        return edits <= limit ? edits : null;
    }

    private static string LastPart(string name) => name[(name.LastIndexOf('/') + 1)..];
}
