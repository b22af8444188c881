using System.CommandLine;
using System.Globalization;
using Actors.Api.Requests;
using Actors.Grains.Cutoffs;
using Actors.Grains.Interfaces;
using NodaTime;
using NodaTime.Text;

namespace Actors.Silo.CommandLine.Commands;

/// <summary>
/// `actors cutoff ZONE TIME [--from DATE] [--days N]`: prints when the cutoffs of a zone are, one line a day.
/// It needs no database, and asks the same rule as the grains.
/// </summary>
public static class CutoffCommand
{
    private const int MaximumDays = 3660;

    // Every zone's offsets are settled within these years, and no instant leaves the calendar.
    private static readonly LocalDate EarliestDate = new(1900, 1, 1);
    private static readonly LocalDate LatestDate = new(2999, 12, 31);

    private static readonly LocalTimePattern Minutes = LocalTimePattern.CreateWithInvariantCulture("HH:mm");
    private static readonly LocalTimePattern Seconds = LocalTimePattern.CreateWithInvariantCulture("HH:mm:ss");
    private static readonly OffsetDateTimePattern LocalTimeAndOffset =
        OffsetDateTimePattern.CreateWithInvariantCulture("uuuu-MM-dd HH:mm:sso<m>");

    /// <param name="time">Says what today is, where no --from is given.</param>
    public static Command Create(TimeProvider time)
    {
        var zone = new Argument<string>("ZONE") { Description = "An IANA zone, such as Australia/Brisbane." };
        var cutoffTime = new Argument<string>("TIME") { Description = "The local cutoff time: HH:mm or HH:mm:ss." };
        var from = new Option<string?>("--from")
        {
            Description = "The first local date: YYYY-MM-DD. Default: today in the zone.",
            HelpName = "DATE",
        };
        var days = new Option<int>("--days")
        {
            Description = $"How many days, 1 to {MaximumDays}. Default: 7.",
            HelpName = "N",
            DefaultValueFactory = _ => 7,
        };
        days.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && !int.TryParse(token.Value, CultureInfo.InvariantCulture, out _))
                result.AddError($"--days is '{token.Value}'; expected is a number from 1 to {MaximumDays}.");
        });
        var command = new Command("cutoff", "Print when a zone's cutoffs are: local date, instant (UTC), local time "
            + "and offset, and what a clock change did to it.")
        {
            zone, cutoffTime, from, days,
        };
        command.SetAction(arguments => Print(
            arguments.InvocationConfiguration.Output,
            arguments.GetRequiredValue(zone),
            arguments.GetRequiredValue(cutoffTime),
            arguments.GetValue(from),
            arguments.GetValue(days),
            Instant.FromDateTimeOffset(time.GetUtcNow())));
        return command;
    }

    private static void Print(
        TextWriter output, string zoneName, string cutoffTime, string? from, int days, Instant now)
    {
        var zone = ZoneNamed(zoneName);
        var clock = new CutoffClock(zone, TimeFrom(cutoffTime));
        var first = from is null ? now.InZone(zone).Date : DateFrom(from);
        if (days is < 1 or > MaximumDays)
            throw BadInput($"--days {days} is out of range: expected a whole number from 1 to {MaximumDays}");
        if (first < EarliestDate || first > LatestDate.PlusDays(1 - days))
            throw BadInput($"{days} days from {first:uuuu-MM-dd} are out of range: expected dates from "
                + $"{EarliestDate:uuuu-MM-dd} to {LatestDate:uuuu-MM-dd}");

        output.WriteLine($"{zoneName} {cutoffTime}, TZDB {ZoneCatalogue.TzdbVersion}");
        for (var day = 0; day < days; day++) output.WriteLine(Line(clock.On(first.PlusDays(day)), zone));
    }

    private static string Line(Cutoff cutoff, DateTimeZone zone)
    {
        var local = LocalTimeAndOffset.Format(cutoff.At.InZone(zone).ToOffsetDateTime());
        return $"{cutoff.Date:uuuu-MM-dd}  {InstantPattern.General.Format(cutoff.At)}  {local}  "
            + Words(cutoff.Resolution);
    }

    private static string Words(CutoffResolution resolution) => resolution switch
    {
        CutoffResolution.Once => "once",
        CutoffResolution.Shifted => "shifted",
        CutoffResolution.LaterOfTwo => "later of two",
        CutoffResolution.DateAbsent => "date absent",
        _ => throw new ArgumentOutOfRangeException(nameof(resolution), resolution, "No such resolution."),
    };

    private static DateTimeZone ZoneNamed(string name)
    {
        if (ZoneCatalogue.Find(name) is { } zone) return zone;
        var nearest = NearestName.Of(name, ZoneCatalogue.Names);
        throw BadInput($"zone '{name}' is unknown; " + (nearest is null
            ? "expected an IANA zone such as 'Australia/Brisbane'"
            : $"did you mean '{nearest}'?"));
    }

    private static LocalTime TimeFrom(string text)
    {
        var parsed = text.Length == "HH:mm".Length ? Minutes.Parse(text) : Seconds.Parse(text);
        return parsed.Success
            ? parsed.Value
            : throw BadInput($"cutoff time '{text}' is not a time of day: expected HH:mm or HH:mm:ss, "
                + "from 00:00:00 to 23:59:59");
    }

    private static LocalDate DateFrom(string text) =>
        LocalDatePattern.Iso.Parse(text) is { Success: true } parsed
            ? parsed.Value
            : throw BadInput($"--from '{text}' is not a date: expected YYYY-MM-DD, such as 2026-02-28");

    private static CommandFailure BadInput(string message) =>
        new(ExitCode.BadInput, message.EndsWith('?') ? message : $"{message}.");
}
