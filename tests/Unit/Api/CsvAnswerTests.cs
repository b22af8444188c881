using System.Text;
using Actors.Api.Answers;
using Microsoft.AspNetCore.Http;
using NodaTime;
using Xunit;

namespace Actors.Tests.Unit.Api;

public sealed class CsvAnswerTests
{
    private sealed record Row(string? Name, int Count, Instant? At, LocalDate Date, bool Paused);

    private static readonly CsvColumn<Row>[] Columns =
    [
        new("name", row => row.Name), new("count", row => row.Count), new("at", row => row.At),
        new("date", row => row.Date), new("paused", row => row.Paused),
    ];

    [Fact]
    public async Task Lines_end_with_CRLF_and_what_needs_quotes_has_them()
    {
        var text = await WriteAsync(new Row("Say \"hi\",\nall", 1, null, new LocalDate(2026, 8, 9), true));
        Assert.Equal("name,count,at,date,paused\r\n\"Say \"\"hi\"\",\nall\",1,,2026-08-09,true\r\n", text);
    }

    [Theory]
    [InlineData("=1+1")]
    [InlineData("+1")]
    [InlineData("-1")]
    [InlineData("@SUM(A1)")]
    [InlineData("\t=1")]
    [InlineData("\r=1")]
    [InlineData("\n=1")]
    [InlineData("\t1")]
    [InlineData("\uFF1D1+1")]
    [InlineData("\uFF0B1")]
    [InlineData("\uFF0D1")]
    [InlineData("\uFF20SUM(A1)")]
    public async Task What_a_spreadsheet_would_compute_is_made_a_text(string name)
    {
        var text = await WriteAsync(new Row(name, 1, null, new LocalDate(2026, 8, 9), false));
        Assert.Contains("'" + name, text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_number_below_zero_stays_a_number()
    {
        var text = await WriteAsync(new Row("-1", -1, null, new LocalDate(2026, 8, 9), false));
        Assert.EndsWith("\r\n\"'-1\",-1,,2026-08-09,false\r\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Values_are_written_as_JSON_writes_them()
    {
        var text = await WriteAsync(
            new Row("Ä", 1_000, Instant.FromUtc(2026, 8, 9, 7, 0), new LocalDate(2026, 8, 9), false));
        Assert.EndsWith("\r\nÄ,1000,2026-08-09T07:00:00Z,2026-08-09,false\r\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_list_without_rows_still_names_its_columns() =>
        Assert.Equal("name,count,at,date,paused\r\n", await WriteAsync());

    private static async Task<string> WriteAsync(params Row[] rows)
    {
        using var body = new MemoryStream();
        var context = new DefaultHttpContext { Response = { Body = body } };
        await new CsvAnswer<Row>("rows.csv", Columns, rows.ToAsyncEnumerable()).ExecuteAsync(context);
        Assert.StartsWith("text/csv", context.Response.ContentType, StringComparison.Ordinal);
        return Encoding.UTF8.GetString(body.ToArray());
    }
}
