using System.Diagnostics;
using Actors.Silo.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Actors.Tests.Unit.Hosting;

/// <summary>How a line of the log looks.</summary>
public sealed class LineFormatterTests
{
    private static readonly FakeTimeProvider Time = new(new DateTimeOffset(2026, 8, 9, 7, 0, 0, TimeSpan.Zero));

    [Fact]
    public void A_line_ends_with_the_trace_that_it_belongs_to()
    {
        using var activity = new Activity("a request").SetIdFormat(ActivityIdFormat.W3C).Start();

        Assert.Equal($"2026-08-09T07:00:00.000Z info  Done. trace={activity.TraceId}", Line());
    }

    [Fact]
    public void A_line_that_belongs_to_none_names_none() =>
        Assert.Equal("2026-08-09T07:00:00.000Z info  Done.", Line());

    private static string Line()
    {
        using var text = new StringWriter();
        new LineFormatter(Time).Write(
            new LogEntry<string>(LogLevel.Information, "Actors.Any", default, "Done.", null, (state, _) => state),
            null, text);
        return text.ToString().TrimEnd();
    }
}
