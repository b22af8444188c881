namespace Actors.Silo.Import;

/// <summary>
/// Passes text on, and refuses a line of more than <see cref="LongestLine"/> characters: a file that is no CSV at all
/// can be one line of a gigabyte, which a parser would try to hold.
/// </summary>
/// <exception cref="LineTooLongException">Raised by a read, which then has passed on nothing.</exception>
internal sealed class BoundedLineReader(TextReader inner) : TextReader
{
    public const int LongestLine = 1_000_000;
    private int lengthSoFar;

    public override int Read(char[] buffer, int index, int count) =>
        Checked(buffer.AsSpan(index, inner.Read(buffer, index, count)));

    public override async Task<int> ReadAsync(char[] buffer, int index, int count)
    {
        var read = await inner.ReadAsync(buffer, index, count);
        return Checked(buffer.AsSpan(index, read));
    }

    public override async ValueTask<int> ReadAsync(
        Memory<char> buffer, CancellationToken cancellationToken = default)
    {
        var read = await inner.ReadAsync(buffer, cancellationToken);
        return Checked(buffer.Span[..read]);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) inner.Dispose();
        base.Dispose(disposing);
    }

    private int Checked(ReadOnlySpan<char> text)
    {
        var lastEnd = text.LastIndexOfAny('\r', '\n');
        lengthSoFar = lastEnd < 0 ? lengthSoFar + text.Length : text.Length - lastEnd - 1;
        return lengthSoFar > LongestLine ? throw new LineTooLongException() : text.Length;
    }
}

/// <summary>A line has more than <see cref="BoundedLineReader.LongestLine"/> characters.</summary>
internal sealed class LineTooLongException : Exception;
