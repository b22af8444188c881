using System.Globalization;
using System.Text;
using Actors.Silo.CommandLine;

namespace Actors.Silo.Import;

/// <summary>
/// The errors of one file: all are counted, and as many are kept as can be shown, so that a file of a gigabyte that is
/// wrong in every line costs no memory.
/// </summary>
internal sealed class ImportErrors
{
    /// <summary>How many errors are shown, in the order of the lines.</summary>
    public const int Shown = 20;

    private const int LongestValue = 60;
    private readonly List<(int Line, string Sentence)> first = [];
    private long total;

    public bool Any => total > 0;

    /// <summary>Adds one error, in the order of the lines; the sentence is asked for only if it is shown.</summary>
    public void Add(int line, Func<string> sentence)
    {
        if (total++ < Shown) first.Add((line, sentence()));
    }

    /// <summary>Adds what one check found: its first errors in the order of the lines, and the count of all.</summary>
    public void AddFound(IReadOnlyCollection<(int Line, string Sentence)> found, long count)
    {
        first.AddRange(found);
        total += count;
    }

    /// <exception cref="CommandFailure">There is an error; the message names the first ones and the count.</exception>
    public void ThrowIfAny(string file)
    {
        if (!Any) return;
        var message = new StringBuilder();
        foreach (var (line, sentence) in first.OrderBy(error => error.Line).Take(Shown))
            message.Append(CultureInfo.InvariantCulture, $"line {line}: {sentence}\n");
        message.Append(total switch
        {
            1 => $"1 error in {file}; nothing was imported.",
            <= Shown => $"{total} errors in {file}; nothing was imported.",
            _ => string.Create(
                CultureInfo.InvariantCulture,
                $"… and {total - Shown:N0} more errors ({total:N0} in all); nothing was imported."),
        });
        throw new CommandFailure(ExitCode.BadInput, message.ToString());
    }

    /// <summary>A value as an error shows it: in quotes, on one line, and cut when it is long.</summary>
    public static string Quote(string value)
    {
        var shown = new StringBuilder("'");
        foreach (var character in value.AsSpan(0, Math.Min(value.Length, LongestValue)))
        {
            if (char.IsControl(character)) shown.Append(CultureInfo.InvariantCulture, $"\\u{(int)character:x4}");
            else shown.Append(character);
        }

        return shown.Append(value.Length > LongestValue ? "…'" : "'").ToString();
    }
}
