using System.Text.RegularExpressions;

namespace Actors.Silo.Migrations;

/// <summary>
/// One statement of a file. Statements are sent one by one, because PostgreSQL says where an error is by counting
/// characters from the start of what it was sent, and the reader wants the line of the file.
/// </summary>
/// <param name="Text">Without the semicolon that ends it.</param>
/// <param name="Line">The line of the file, counted from 1, on which it starts; comments before it do not
/// count.</param>
internal sealed partial record SqlStatement(string Text, int Line)
{
    /// <summary>
    /// The line of the file that a position in this statement, counted from 1 as PostgreSQL does, is on.
    /// </summary>
    public int LineAt(int position) => Line + Text.AsSpan(0, Math.Clamp(position - 1, 0, Text.Length)).Count('\n');

    /// <summary>
    /// Splits at semicolons that stand outside quotes, dollar quotes and comments. Bodies written as
    /// BEGIN ATOMIC, which hold bare semicolons, are not understood: use dollar quotes.
    /// </summary>
    public static IReadOnlyList<SqlStatement> Split(string script)
    {
        var statements = new List<SqlStatement>();
        var start = -1;
        foreach (Match token in Token().Matches(script))
        {
            if (token.Groups["space"].Success) continue;
            if (token.Value != ";")
            {
                if (start < 0) start = token.Index;
                continue;
            }

            if (start >= 0) statements.Add(StatementAt(script, start, token.Index));
            start = -1;
        }

        if (start >= 0) statements.Add(StatementAt(script, start, script.Length));
        return statements;
    }

    private static SqlStatement StatementAt(string script, int start, int end) =>
        new(script[start..end].TrimEnd(), 1 + script.AsSpan(0, start).Count('\n'));

    // Comments nest in PostgreSQL, hence the balancing group. E'…' takes backslash escapes, '…' does not.
    [GeneratedRegex(
        """
        (?<space>\s+|\uFEFF|--[^\n]*|/\*(?:(?<open>/\*)|(?<-open>\*/)|(?!/\*|\*/).)*(?(open)(?!))\*/)
        |(?<![\w$])[eE]'(?:[^'\\]|\\.|'')*'
        |'(?:[^']|'')*'
        |"(?:[^"]|"")*"
        |(?<![\w$])\$(?<tag>([A-Za-z_]\w*)?)\$.*?\$\k<tag>\$
        |;
        |[\w$]+
        |.
        """,
        RegexOptions.Singleline | RegexOptions.IgnorePatternWhitespace | RegexOptions.ExplicitCapture)]
    private static partial Regex Token();
}
