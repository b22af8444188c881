using Actors.Grains.Cutoffs;
using Actors.Grains.Interfaces;
using NodaTime;
using Xunit;

namespace Actors.Tests.Integration.Cutoffs;

/// <summary>
/// The grid of the exhaustive test: 24 cutoff times on each of 4,018 days (574 whole weeks). A cutoff's place in its
/// week is 1 to 168.
/// </summary>
internal static class EveryDay
{
    public const int Days = 4018;
    public const int Weeks = Days / 7;

    public static readonly LocalDate First = new(2020, 1, 1);

    public static readonly LocalTime[] Times =
    [
        LocalTime.Midnight, new(0, 0, 1), new(0, 30), new(1, 0), new(1, 30), new(1, 59, 59), new(2, 0), new(2, 15),
        new(2, 30), new(2, 45), new(3, 0), new(3, 15), new(3, 30), new(4, 0), new(5, 30), new(7, 45), new(12, 0),
        new(15, 15), new(17, 0), new(21, 0), new(22, 30), new(23, 0), new(23, 30), new(23, 59, 59),
    ];

    public static int CutoffsPerWeek => 7 * Times.Length;

    public static int Cutoffs => Days * Times.Length;

    /// <summary>A cutoff's place in the grid, counted from 0, in words.</summary>
    public static string Describe(int index) =>
        $"{First.PlusDays(index / Times.Length):uuuu-MM-dd} {Times[index % Times.Length]:HH:mm:ss}";

    /// <summary>
    /// The cutoffs of a zone in seconds since 1970, day by day and time by time, after a look at what must hold:
    /// each date has its own, and the wall clock then shows the cutoff time unless that was skipped.
    /// </summary>
    public static long[] CutoffsOf(DateTimeZone zone)
    {
        var seconds = new long[Cutoffs];
        for (var time = 0; time < Times.Length; time++)
        {
            var clock = new CutoffClock(zone, Times[time]);
            var before = clock.On(First.PlusDays(-1));
            for (var day = 0; day < Days; day++)
            {
                var cutoff = clock.On(First.PlusDays(day));
                var mayShare = before.Resolution == CutoffResolution.DateAbsent;
                if (cutoff.At < before.At || (cutoff.At == before.At && !mayShare))
                    Assert.Fail($"{zone.Id} {Times[time]}: {before} and {cutoff} are out of order.");
                var isSkipped = cutoff.Resolution is CutoffResolution.Shifted or CutoffResolution.DateAbsent;
                if (!isSkipped && cutoff.At.InZone(zone).LocalDateTime != cutoff.Date + Times[time])
                    Assert.Fail($"{zone.Id} {Times[time]}: the wall clock does not show that at {cutoff}.");
                seconds[(day * Times.Length) + time] = cutoff.At.ToUnixTimeSeconds();
                before = cutoff;
            }
        }

        return seconds;
    }

    /// <summary>Looks, on every day, at the cutoff's instant and one nanosecond before: next > now >= last.</summary>
    public static void LastAndNextAgree(DateTimeZone zone, LocalTime time)
    {
        var clock = new CutoffClock(zone, time);
        var (before, cutoff) = (clock.On(First.PlusDays(-1)), clock.On(First));
        for (var day = 0; day < Days; day++)
        {
            var after = clock.On(First.PlusDays(day + 1));
            var justBefore = cutoff.At - Duration.Epsilon;
            // Where a date does not exist, it and the next pass at one instant, and only the later of them is last.
            var agree = before.At == cutoff.At || cutoff.At == after.At
                || (clock.LastPassed(cutoff.At) == cutoff && clock.NextAfter(cutoff.At) == after
                    && clock.LastPassed(justBefore) == before && clock.NextAfter(justBefore) == cutoff);
            if (!agree) Assert.Fail($"{zone.Id} {time}: not next > now >= last around {cutoff}.");
            (before, cutoff) = (cutoff, after);
        }
    }
}
