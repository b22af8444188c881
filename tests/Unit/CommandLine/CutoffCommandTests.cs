using System.CommandLine;
using Actors.Grains.Cutoffs;
using Actors.Silo.CommandLine;
using Actors.Silo.CommandLine.Commands;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Actors.Tests.Unit.CommandLine;

public sealed class CutoffCommandTests
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 2, 9, 20, 0, 0, TimeSpan.Zero));

    [Fact]
    public async Task It_prints_one_line_a_day_across_a_clock_change()
    {
        Assert.Equal(
            [
                $"Australia/Sydney 02:30, TZDB {ZoneCatalogue.TzdbVersion}",
                "2024-10-05  2024-10-04T16:30:00Z  2024-10-05 02:30:00+10:00  once",
                "2024-10-06  2024-10-05T16:30:00Z  2024-10-06 03:30:00+11:00  shifted",
                "2024-10-07  2024-10-06T15:30:00Z  2024-10-07 02:30:00+11:00  once",
            ],
            await RunAsync("Australia/Sydney", "02:30", "--from", "2024-10-05", "--days", "3"));
    }

    [Fact]
    public async Task It_says_when_the_later_of_two_counts_and_when_a_date_is_absent()
    {
        Assert.Equal(
            "2024-11-03  2024-11-03T06:30:00Z  2024-11-03 01:30:00-05:00  later of two",
            (await RunAsync("America/New_York", "01:30", "--from", "2024-11-03", "--days", "1"))[1]);
        Assert.Equal(
            "2011-12-30  2011-12-31T03:00:05Z  2011-12-31 17:00:05+14:00  date absent",
            (await RunAsync("Pacific/Apia", "17:00:05", "--from", "2011-12-30", "--days", "1"))[1]);
    }

    [Fact]
    public async Task It_starts_today_in_the_zone_and_shows_a_week()
    {
        var lines = await RunAsync("Australia/Brisbane", "17:00");

        Assert.Equal(1 + 7, lines.Length);
        Assert.StartsWith("2026-02-10  2026-02-10T07:00:00Z", lines[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_shows_ten_years_and_more() =>
        Assert.Equal(1 + 3660, (await RunAsync("Europe/London", "00:00", "--days", "3660")).Length);

    [Theory]
    [InlineData("Australia/Brisbame", "zone 'Australia/Brisbame' is unknown; did you mean 'Australia/Brisbane'?")]
    [InlineData("America/Honolulu", "zone 'America/Honolulu' is unknown; did you mean 'Pacific/Honolulu'?")]
    [InlineData("", "zone '' is unknown; expected an IANA zone such as 'Australia/Brisbane'.")]
    [InlineData("UTC+10", "zone 'UTC+10' is unknown; expected an IANA zone such as 'Australia/Brisbane'.")]
    public async Task An_unknown_zone_is_named_with_the_nearest(string zone, string message) =>
        Assert.Equal(message, await FailAsync(zone, "17:00"));

    [Theory]
    [InlineData("24:00")]
    [InlineData("5pm")]
    [InlineData("7:00")]
    [InlineData("17:60")]
    [InlineData("23:59:60")]
    [InlineData("17:00:00.5")]
    [InlineData("")]
    public async Task A_wrong_cutoff_time_is_named_with_what_is_expected(string time) =>
        Assert.Equal(
            $"cutoff time '{time}' is not a time of day: expected HH:mm or HH:mm:ss, from 00:00:00 to 23:59:59.",
            await FailAsync("UTC", time));

    [Theory]
    [InlineData("2026-02-29")]
    [InlineData("29/02/2024")]
    [InlineData("tomorrow")]
    [InlineData("")]
    public async Task A_wrong_date_is_named_with_what_is_expected(string date) =>
        Assert.Equal(
            $"--from '{date}' is not a date: expected YYYY-MM-DD, such as 2026-02-28.",
            await FailAsync("UTC", "17:00", "--from", date));

    [Theory]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("3661")]
    public async Task A_wrong_number_of_days_is_named_with_its_bounds(string days) =>
        Assert.Equal(
            $"--days {days} is out of range: expected a whole number from 1 to 3660.",
            await FailAsync("UTC", "17:00", "--days", days));

    [Theory]
    [InlineData("1899-12-31", "1")]
    [InlineData("2999-12-31", "2")]
    [InlineData("9999-12-31", "3660")]
    public async Task Dates_beyond_the_bounds_are_refused(string from, string days) =>
        Assert.Equal(
            $"{days} days from {from} are out of range: expected dates from 1900-01-01 to 2999-12-31.",
            await FailAsync("UTC", "17:00", "--from", from, "--days", days));

    [Fact]
    public void Days_that_are_no_number_are_a_usage_error() =>
        Assert.NotEmpty(CutoffCommand.Create(_time).Parse(["UTC", "17:00", "--days", "many"]).Errors);

    private async Task<string[]> RunAsync(params string[] arguments)
    {
        await using var output = new StringWriter();
        var code = await InvokeAsync(output, arguments);

        Assert.Equal(0, code);
        return output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private async Task<string> FailAsync(params string[] arguments)
    {
        await using var output = new StringWriter();
        var failure = await Assert.ThrowsAsync<CommandFailure>(() => InvokeAsync(output, arguments));

        Assert.Equal(ExitCode.BadInput, failure.Code);
        Assert.Empty(output.ToString());
        return failure.Message;
    }

    private Task<int> InvokeAsync(TextWriter output, string[] arguments) =>
        CutoffCommand.Create(_time).Parse(arguments).InvokeAsync(
            new InvocationConfiguration { Output = output, EnableDefaultExceptionHandler = false });
}
