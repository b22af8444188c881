namespace Actors.Silo.CommandLine;

/// <summary>Finds what somebody meant who mistyped a word.</summary>
public static class NearestWord
{
    /// <summary>
    /// The known word that takes the fewest single-letter changes, or null when even that one differs in more than a
    /// third of the letters. Upper and lower case count as equal.
    /// </summary>
    public static string? To(string word, IEnumerable<string> known)
    {
        var nearest = known
            .Select(k => (Word: k, Changes: Changes(word.ToUpperInvariant(), k.ToUpperInvariant())))
            .OrderBy(c => c.Changes)
            .FirstOrDefault();
        return nearest.Word is not null && nearest.Changes * 3 <= Math.Max(word.Length, 3) ? nearest.Word : null;
    }

    private static int Changes(string from, string to)
    {
        var row = Enumerable.Range(0, to.Length + 1).ToArray();
        for (var i = 1; i <= from.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= to.Length; j++)
            {
                var replaced = diagonal + (from[i - 1] == to[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[^1];
    }
}
