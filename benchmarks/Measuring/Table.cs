using System.Text;

namespace Actors.Benchmarks.Measuring;

/// <summary>A Markdown table.</summary>
internal static class Table
{
    public static string Of(string[] heads, IEnumerable<string[]> rows)
    {
        var text = new StringBuilder();
        AddLine(heads);
        AddLine([.. heads.Select((_, column) => column == 0 ? "---" : "---:")]);
        foreach (var row in rows) AddLine(row);
        return text.ToString();

        void AddLine(string[] cells) => text.Append("| ").AppendJoin(" | ", cells).Append(" |\n");
    }
}
