using System.Text;
using Actors.Silo.CommandLine;
using Actors.Silo.Import;
using Xunit;

namespace Actors.Tests.Unit.Import;

public sealed class ImportLimitTests
{
    private static readonly ImportColumn[] Columns =
        [new("id", "uuid", CellRule.Uuid), new("name", "text", CellRule.Name)];

    [Fact]
    public async Task A_line_without_end_is_refused_before_it_is_held()
    {
        var errors = new ImportErrors();
        using var endless = new Repeated("id,name,"u8.ToArray(), times: 10_000_000);
        using var file = await CsvFile.OpenAsync(endless, "file.csv", Columns, errors);
        Assert.StartsWith(
            "line 1: is longer than any line of such a file",
            Assert.Throws<CommandFailure>(() => errors.ThrowIfAny("file.csv")).Message, StringComparison.Ordinal);
        Assert.True(endless.Position < 3 * BoundedLineReader.LongestLine);
    }

    [Fact]
    public async Task A_million_wrong_lines_cost_no_memory_and_no_more_than_twenty_sentences()
    {
        var errors = new ImportErrors();
        var sentences = 0;
        var counting = new ImportColumn("name", "text", new CellRule(_ => false, _ => $"is wrong ({++sentences})"));
        using var wrong = new Repeated(Encoding.UTF8.GetBytes("name,id\nx,y\n"), times: 1, tail: "x,\n", 1_000_000);
        using var file = await CsvFile.OpenAsync(wrong, "file.csv", [Columns[0], counting], errors);
        Assert.False(await file.ReadAsync(new string?[2]));
        Assert.EndsWith(
            "… and 1,999,982 more errors (2,000,002 in all); nothing was imported.",
            Assert.Throws<CommandFailure>(() => errors.ThrowIfAny("file.csv")).Message, StringComparison.Ordinal);
        Assert.InRange(sentences, 1, ImportErrors.Shown);
    }

    /// <summary>A stream of one text many times, and then another, which is nowhere held.</summary>
    private sealed class Repeated(byte[] text, long times, string tail = "", long tailTimes = 0) : Stream
    {
        private readonly byte[] tailText = Encoding.UTF8.GetBytes(tail);

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => (text.Length * times) + (tailText.Length * tailTimes);
        public override long Position { get; set; }

        public override int Read(byte[] buffer, int offset, int count)
        {
            var read = (int)Math.Min(count, Length - Position);
            for (var index = 0; index < read; index++) buffer[offset + index] = At(Position++);
            return read;
        }

        public override void Flush() => throw new NotSupportedException();
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        private byte At(long position) => position < text.Length * times
            ? text[position % text.Length]
            : tailText[(position - (text.Length * times)) % tailText.Length];
    }
}
