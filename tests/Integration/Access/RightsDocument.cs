using System.Text.RegularExpressions;
using Actors.Tests.Integration.Migrations;

namespace Actors.Tests.Integration.Access;

/// <summary>
/// The table of ARCHITECTURE.md that says what each role may do with each table: its first column names tables, its
/// heading roles. Words in italics stand for lists of columns, which are given below the table.
/// </summary>
internal sealed partial class RightsDocument
{
    private RightsDocument(IReadOnlyList<string> callers, IReadOnlyDictionary<(string, string), string> cells) =>
        (Callers, Cells) = (callers, cells);

    /// <summary>As the heading names them.</summary>
    public IReadOnlyList<string> Callers { get; }

    /// <summary>What a caller may do with a table (schema.table), as <see cref="TableRights"/> words it.</summary>
    public IReadOnlyDictionary<(string Table, string Caller), string> Cells { get; }

    public static RightsDocument Read()
    {
        var lines = File.ReadAllLines(Path.Combine(StartingDatabase.Root, "ARCHITECTURE.md"));
        var start = Array.FindIndex(
            lines, line => line.StartsWith("| Table | `actors_silo`", StringComparison.Ordinal));
        var table = lines.Skip(start).TakeWhile(line => line.StartsWith('|')).Select(CellsOf).ToList();
        var lists = lines.Skip(start).Select(line => ColumnList().Match(line)).Where(match => match.Success)
            .ToDictionary(match => match.Groups["word"].Value, match => Plain(match.Groups["columns"].Value));
        var callers = table[0].Skip(1).Select(Plain).ToList();
        var cells = new Dictionary<(string, string), string>();
        foreach (var row in table.Skip(2))
            foreach (Match name in TableName().Matches(row[0]))
                for (var column = 0; column < callers.Count; column++)
                    cells.Add((Qualified(name.Groups["name"].Value), callers[column]), Expand(row[column + 1], lists));
        return new RightsDocument(callers, cells);
    }

    private static List<string> CellsOf(string line) => [.. line.Trim('|').Split('|').Select(cell => cell.Trim())];

    private static string Plain(string text) => text.Replace("`", "", StringComparison.Ordinal);

    private static string Qualified(string name) =>
        name.Contains('.', StringComparison.Ordinal) ? name : $"public.{name}";

    private static string Expand(string cell, Dictionary<string, string> lists) => Italics().Replace(
        cell == "all" ? "SELECT, INSERT, UPDATE, DELETE" : Plain(cell), word => lists[word.Groups["word"].Value]);

    [GeneratedRegex(@"^- \*(?<word>[a-z ]+)\*: (?<columns>.+?)[;.]?$")]
    private static partial Regex ColumnList();

    [GeneratedRegex("`(?<name>[a-z_.]+)`")]
    private static partial Regex TableName();

    [GeneratedRegex(@"\*(?<word>[a-z ]+)\*")]
    private static partial Regex Italics();
}
