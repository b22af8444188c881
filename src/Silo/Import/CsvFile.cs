using System.Globalization;
using System.Text;
using Actors.Api.Requests;
using Actors.Silo.CommandLine;
using CsvHelper;
using CsvHelper.Configuration;

namespace Actors.Silo.Import;

/// <summary>
/// One CSV file (RFC 4180, UTF-8, a byte order mark or none, lines ended by CRLF, LF or CR), read a record at a time.
/// Cells are asked for by column, whatever the order of the header. Blank lines are passed over.
/// </summary>
internal sealed class CsvFile : IDisposable
{
    private const int LongestField = 65_536;

    /// <summary>No character, so no file has it: it stands for bytes that are not UTF-8, to name their cell.</summary>
    private const char InvalidBytes = '\uFFFF';

    private readonly IReadOnlyList<ImportColumn> columns;
    private readonly ImportErrors errors;
    private readonly CsvParser parser;
    private int[] positions = [];
    private int fieldsInHeader;
    private bool hasStrayQuote;

    private CsvFile(Stream stream, IReadOnlyList<ImportColumn> columns, ImportErrors errors)
    {
        this.columns = columns;
        this.errors = errors;
        var encoding = Encoding.GetEncoding(
            "utf-8", EncoderFallback.ExceptionFallback, new DecoderReplacementFallback(InvalidBytes.ToString()));
        var reader = new StreamReader(stream, encoding, detectEncodingFromByteOrderMarks: false, leaveOpen: true);
        parser = new CsvParser(new BoundedLineReader(reader), new CsvConfiguration(CultureInfo.InvariantCulture)
        {
            IgnoreBlankLines = false, // Its count of lines would miss those it passed over.
            MaxFieldSize = LongestField,
            BadDataFound = _ => hasStrayQuote = true,
        });
    }

    /// <summary>The line, from 1 for the header, on which the current record starts.</summary>
    public int Line { get; private set; }

    /// <summary>Reads the header. Where it is wrong, the errors say how, and the file must not be read on.</summary>
    /// <exception cref="CommandFailure">The file is empty.</exception>
    public static async Task<CsvFile> OpenAsync(
        Stream stream, string name, IReadOnlyList<ImportColumn> columns, ImportErrors errors)
    {
        var file = new CsvFile(stream, columns, errors);
        if (await file.AdvanceAsync()) file.ReadHeader();
        else if (!errors.Any)
        {
            throw new CommandFailure(ExitCode.BadInput, $"{name} is empty; its first line must name the columns: "
                + $"{string.Join(',', columns.Select(column => column.Name))}. Nothing was imported.");
        }

        return file;
    }

    /// <summary>
    /// Moves on to the next record that is good in itself and puts its cells, in the order of the columns, into
    /// <paramref name="cells"/>: null where a cell is empty or its column is not in the file. Adds what is wrong in the
    /// records it passes over to the errors. False at the end of the file.
    /// </summary>
    public async Task<bool> ReadAsync(string?[] cells)
    {
        while (await AdvanceAsync())
        {
            if (TakeCells(cells)) return true;
        }

        return false;
    }

    public void Dispose() => parser.Dispose();

    private async Task<bool> AdvanceAsync()
    {
        try
        {
            do
            {
                Line = parser.RawRow + 1;
                hasStrayQuote = false;
                if (!await parser.ReadAsync()) return false;
            }
            while (parser.Count <= 1 && parser[0].Length == 0);
            return true;
        }
        catch (Exception failure) when (failure is MaxFieldSizeException or LineTooLongException)
        {
            errors.Add(Line, () => "is longer than any line of such a file; is there a quote that is never closed?");
            return false;
        }
    }

    private void ReadHeader()
    {
        var header = parser.Record!;
        fieldsInHeader = header.Length;
        positions = [.. columns.Select(column => Array.IndexOf(header, column.Name))];
        if (header.Any(name => name.Contains(InvalidBytes, StringComparison.Ordinal)) || hasStrayQuote)
        {
            errors.Add(Line, () => "the header is not CSV in UTF-8; save the file as CSV (UTF-8).");
            return;
        }

        if (header.Length == 1 && header[0].AsSpan().IndexOfAny(';', '\t', '|') is >= 0 and var at)
        {
            errors.Add(Line, () => $"the columns are separated by {ImportErrors.Quote(header[0][at].ToString())}; "
                + "separate them by ','.");
            return;
        }

        foreach (var (index, name) in header.Index()) CheckName(header, index, name);
        foreach (var column in columns.Where((column, index) => !column.MayBeAbsent && positions[index] < 0))
            errors.Add(Line, () => $"column '{column.Name}' is missing; the header has {string.Join(',', header)}.");
    }

    private void CheckName(string[] header, int index, string name)
    {
        var names = columns.Select(column => column.Name).ToArray();
        if (Array.IndexOf(header, name) < index)
        {
            errors.Add(Line, () => $"column {ImportErrors.Quote(name)} is there twice.");
        }
        else if (!names.Contains(name))
        {
            errors.Add(Line, () => $"column {ImportErrors.Quote(name)} is unknown; "
                + (NearestName.Of(name, names) is { } nearest
                    ? $"did you mean '{nearest}'?"
                    : $"there are {string.Join(", ", names)}."));
        }
    }

    private bool TakeCells(string?[] cells)
    {
        if (parser.Count != fieldsInHeader)
        {
            var count = parser.Count;
            errors.Add(Line, () => $"has {count} fields where the header has {fieldsInHeader}.");
            return false;
        }

        for (var index = 0; index < positions.Length; index++)
            cells[index] = positions[index] < 0 || parser[positions[index]] is not { Length: > 0 } cell ? null : cell;
        if (hasStrayQuote)
        {
            errors.Add(Line, () => "a quote stands inside a field or is never closed; put the whole field in quotes "
                + "and double those inside it.");
            return false;
        }

        var isGood = true;
        for (var index = 0; index < positions.Length; index++) isGood &= IsGood(columns[index], cells[index]);
        return isGood;
    }

    private bool IsGood(ImportColumn column, string? cell)
    {
        if (cell is null)
        {
            if (!column.MayBeEmpty) errors.Add(Line, () => $"{column.Name} is empty.");
            return column.MayBeEmpty;
        }

        if (cell.Contains(InvalidBytes, StringComparison.Ordinal))
        {
            errors.Add(Line, () => $"{column.Name} is not UTF-8; save the file as CSV (UTF-8).");
            return false;
        }

        if (column.Rule.Accepts(cell)) return true;
        errors.Add(Line, () => $"{column.Name} {ImportErrors.Quote(cell)} {column.Rule.Complaint(cell)}");
        return false;
    }
}
