using Actors.Api.Access;
using NodaTime;
using NodaTime.Text;

namespace Actors.Silo.CommandLine.Commands;

/// <summary>Keys as a table for people; times are UTC.</summary>
internal static class KeyTable
{
    private static readonly InstantPattern Times = InstantPattern.CreateWithInvariantCulture("uuuu-MM-dd HH:mm:ss'Z'");

    /// <summary>A line of headings, and one for each key.</summary>
    public static IEnumerable<string> Lines(IReadOnlyList<ApiKeyRow> keys)
    {
        string[][] cells =
        [
            ["NAME", "ID", "SCOPES", "CREATED", "EXPIRES", "LAST USED", "STATE"],
            .. keys.Select(key => (string[])
            [
                key.Name, key.ShortId, key.Scopes.Count == 0 ? "-" : string.Join(",", key.Scopes), Time(key.CreatedAt),
                Time(key.ExpiresAt), Time(key.LastUsedAt), key.State,
            ]),
        ];
        var widths = cells[0].Select((_, column) => cells.Max(row => row[column].Length)).ToList();
        return cells
            .Select(row => string.Join("  ", row.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd());
    }

    private static string Time(Instant? instant) => instant is { } at ? Times.Format(at) : "-";
}
