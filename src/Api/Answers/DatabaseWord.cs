namespace Actors.Api.Answers;

/// <summary>How words that the database keeps are written in answers.</summary>
internal static class DatabaseWord
{
    /// <summary>`later_of_two` becomes `laterOfTwo`; what has no underscore stays as it is.</summary>
    public static string InAnswers(string word) => string.Concat(word.Split('_').Select((part, place) =>
        place == 0 || part.Length == 0 ? part : char.ToUpperInvariant(part[0]) + part[1..]));
}
