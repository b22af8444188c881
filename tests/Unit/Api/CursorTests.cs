using Actors.Api.Requests;
using NodaTime;
using Xunit;

namespace Actors.Tests.Unit.Api;

public sealed class CursorTests
{
    private static readonly Guid Id = Guid.Parse("a0000000-0000-4000-8000-000000000001");
    private static readonly Instant At = Instant.FromUtc(2026, 8, 9, 7, 0).PlusNanoseconds(123_456_000);

    [Fact]
    public void A_cursor_gives_back_the_keys_that_were_written()
    {
        var text = Cursor.Write("jobs", At, Id, new LocalDate(2026, 8, 9), 12L, null, "Ä, \"quoted\"");
        var keys = Cursor.Read(
            text, "jobs",
            QueryKind.Instant, QueryKind.Id, QueryKind.Date, QueryKind.Number, QueryKind.Text, QueryKind.Text);
        Assert.Equal([At, Id, new LocalDate(2026, 8, 9), 12L, null, "Ä, \"quoted\""], keys);
    }

    [Fact]
    public void A_cursor_of_another_list_or_order_is_none() =>
        Assert.Null(Cursor.Read(Cursor.Write("jobs", At, Id), "alerts", QueryKind.Instant, QueryKind.Id));

    [Fact]
    public void A_cursor_with_other_keys_is_none()
    {
        Assert.Null(Cursor.Read(Cursor.Write("jobs", At), "jobs", QueryKind.Instant, QueryKind.Id));
        Assert.Null(Cursor.Read(Cursor.Write("jobs", At, "x"), "jobs", QueryKind.Instant, QueryKind.Id));
        Assert.Null(Cursor.Read(Cursor.Write("jobs", "a\0b"), "jobs", QueryKind.Text));
    }

    [Theory]
    [InlineData("")]
    [InlineData("!")]
    [InlineData("bm90IGpzb24")]
    [InlineData("bnVsbA")]
    [InlineData("WzFd")]
    [InlineData("' OR 1=1 --")]
    public void A_text_that_is_no_cursor_is_none(string text) =>
        Assert.Null(Cursor.Read(text, "jobs", QueryKind.Id));

    [Fact]
    public void Any_key_but_the_last_may_be_null()
    {
        Assert.Equal([null, Id], Cursor.Read(Cursor.Write("jobs", null, Id), "jobs", QueryKind.Instant, QueryKind.Id));
        Assert.Null(Cursor.Read(Cursor.Write("jobs", At, null), "jobs", QueryKind.Instant, QueryKind.Id));
    }
}
