using System.Globalization;
using System.Text;
using Actors.Api.Errors;
using Actors.Api.Requests;
using CsvHelper;
using CsvHelper.Configuration;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;
using NodaTime;

namespace Actors.Api.Answers;

/// <summary>
/// A list as a file for spreadsheets: RFC 4180, UTF-8, a line of names first. Rows are written as they are read. What
/// a spreadsheet would take for a formula is given an apostrophe in front: a name that an agency chose must not
/// compute on the machine of whoever opens the file.
/// </summary>
/// <param name="fileName">What the file is called where it is saved.</param>
/// <param name="columns">From left to right.</param>
/// <param name="rows">At most <see cref="Csv.MostRows"/>; the caller sees to that beforehand.</param>
public sealed class CsvAnswer<T>(
    string fileName, IReadOnlyList<CsvColumn<T>> columns, IAsyncEnumerable<T> rows) : IResult
{
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        ArgumentNullException.ThrowIfNull(httpContext);
        var cancellationToken = httpContext.RequestAborted;
        await using var reading = rows.GetAsyncEnumerator(cancellationToken);
        // The first row is read before anything is sent: what goes wrong at its start is still a proper error.
        var isThere = await reading.MoveNextAsync();

        var response = httpContext.Response;
        response.ContentType = "text/csv; charset=utf-8; header=present";
        response.Headers.ContentDisposition =
            new ContentDispositionHeaderValue("attachment") { FileName = fileName }.ToString();
        await using var text = new StreamWriter(response.Body, new UTF8Encoding(false), leaveOpen: true);
        await using var csv = new CellWriter(text);
        foreach (var column in columns) csv.WriteField(column.Name);
        await csv.NextRecordAsync();
        for (; isThere; isThere = await reading.MoveNextAsync())
        {
            foreach (var column in columns) csv.Write(column.Value(reading.Current), column.TextOf(reading.Current));
            await csv.NextRecordAsync();
        }
    }
}

/// <summary>Writes cells, and makes a text of what somebody chose and a spreadsheet would take for a formula.</summary>
internal sealed class CellWriter(TextWriter text) : CsvWriter(text, Rfc4180, leaveOpen: true)
{
    private static readonly CsvConfiguration Rfc4180 = new(CultureInfo.InvariantCulture)
    {
        NewLine = "\r\n",
        InjectionOptions = InjectionOptions.Escape,
        // The full-width ones are taken for formulas too, where people write in full width. A cell that begins with a
        // tab or a line break is read as what comes after it.
        InjectionCharacters = ['=', '+', '-', '@', '\t', '\r', '\n', '\uFF1D', '\uFF0B', '\uFF0D', '\uFF20'],
        // Where a comma is for decimals, spreadsheets take these to separate cells: within quotes they do not.
        ShouldQuote = cell => cell.Field.AsSpan().ContainsAny(';', '\t') || ConfigurationFunctions.ShouldQuote(cell),
    };

    private bool _isNumber;

    /// <summary>Writes one cell.</summary>
    /// <param name="value">What it holds: a number is written as it is, also one that is less than 0.</param>
    /// <param name="cell">The same as text.</param>
    public void Write(object? value, string? cell)
    {
        _isNumber = value is int or long or double or decimal or Duration;
        WriteField(cell);
    }

    protected override string? SanitizeForInjection(string? field) =>
        _isNumber ? field : base.SanitizeForInjection(field);
}

/// <summary>How a list is asked for as CSV.</summary>
public static class Csv
{
    /// <summary>No file has more rows; who needs more narrows the filter, a month at a time, say.</summary>
    public const int MostRows = 100_000;

    /// <summary>The query parameter of every list that comes as CSV as well.</summary>
    public static QueryParameter Parameter { get; } = QueryParameter.Word(
        "format", "csv for a file with every row of the filter, without pages; `Accept: text/csv` asks for the same.",
        "json", "csv");

    /// <summary>Whether this request is for a file.</summary>
    public static bool IsAskedFor(HttpRequest request, QueryValues query)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(query);
        return (query.Text("format") ?? FromAccept(request)) == "csv";
    }

    /// <summary>The answer to a filter that leaves too much for one file.</summary>
    public static ProblemHttpResult TooManyRows() => ApiError.TooManyRows.ToProblem(("mostRows", MostRows));

    // JSON unless CSV alone is asked for, or more than JSON.
    private static string? FromAccept(HttpRequest request) => request.GetTypedHeaders().Accept
        .OrderByDescending(accepted => accepted.Quality ?? 1)
        .Select(accepted => accepted.MediaType.Value)
        .FirstOrDefault() is { } first && first.Equals("text/csv", StringComparison.OrdinalIgnoreCase)
            ? "csv"
            : null;
}
