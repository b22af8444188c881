using System.Collections.Concurrent;
using Actors.Grains.Cutoffs;
using Actors.Grains.Interfaces;
using CsCheck;
using NodaTime;
using Xunit;

namespace Actors.Tests.Unit.Cutoffs;

/// <summary>What holds for every zone, every cutoff time and every instant.</summary>
public sealed class CutoffPropertiesTests(ITestOutputHelper output)
{
    private static readonly Duration Minute = Duration.FromMinutes(1);
    private static readonly Duration Reach = Duration.FromHours(26);

    private static readonly LocalTime[] AwkwardTimes =
        [LocalTime.Midnight, new(0, 30), new(2, 0), new(2, 30), new(17, 0), new(23, 59, 59)];

    [Fact]
    public void Every_minute_around_every_transition_of_2020_to_2030_stands_between_two_cutoffs()
    {
        var span = new Interval(Instant.FromUtc(2020, 1, 1, 0, 0), Instant.FromUtc(2031, 1, 1, 0, 0));

        var walked = WalkAroundTransitions(span, Minute);

        output.WriteLine($"TZDB {ZoneCatalogue.TzdbVersion}: {walked}");
    }

    [Fact]
    public void Every_third_hour_around_every_transition_since_1840_stands_between_two_cutoffs()
    {
        // This meets the days that were skipped or lived twice: Manila, Alaska, Kwajalein, Kiritimati, Samoa, Tokelau.
        var span = new Interval(Instant.FromUtc(1840, 1, 1, 0, 0), Instant.FromUtc(2100, 1, 1, 0, 0));

        var walked = WalkAroundTransitions(span, Duration.FromHours(3));

        output.WriteLine($"TZDB {ZoneCatalogue.TzdbVersion}: {walked}");
    }

    [Fact]
    public void Any_instant_in_any_zone_stands_between_two_cutoffs()
    {
        var names = ZoneCatalogue.Names.Order(StringComparer.Ordinal).ToArray();
        var nanosecondsIn = Duration.FromDays(300 * 365).TotalNanoseconds;
        Gen.Select(Gen.Int[0, names.Length - 1], Gen.Int[0, 86_399], Gen.Double.Unit).Sample((index, second, share) =>
        {
            var zone = ZoneCatalogue.Find(names[index])!;
            var clock = new CutoffClock(zone, LocalTime.FromSecondsSinceMidnight(second));
            var now = Instant.FromUtc(1800, 1, 1, 0, 0) + Duration.FromNanoseconds(nanosecondsIn * share);
            Neighbours.Of(clock, zone, now);
        }, iter: 100_000);
    }

    [Fact]
    public void A_cutoff_is_what_the_words_of_the_rule_say_on_the_days_around_every_transition_since_1840()
    {
        var span = new Interval(Instant.FromUtc(1840, 1, 1, 0, 0), Instant.FromUtc(2040, 1, 1, 0, 0));
        var checkedCutoffs = 0;
        foreach (var (zone, transitions) in DistinctZones(span))
        foreach (var transition in transitions)
        foreach (var time in AwkwardTimes)
        {
            var middle = transition.InZone(zone).Date;
            for (var date = middle.PlusDays(-2); date <= middle.PlusDays(2); date = date.PlusDays(1))
            {
                var cutoff = new CutoffClock(zone, time).On(date);
                var expected = WallClock.CutoffByTheWords(zone, date + time);
                if (cutoff.At != expected || cutoff.Resolution != ResolutionByTheWords(zone, date, time))
                    Assert.Fail($"{zone.Id} {date:uuuu-MM-dd} {time}: {cutoff}, expected {expected}");
                checkedCutoffs++;
            }
        }

        output.WriteLine($"TZDB {ZoneCatalogue.TzdbVersion}: {checkedCutoffs:N0} cutoffs");
        Assert.True(checkedCutoffs > 100_000);
    }

    private static CutoffResolution ResolutionByTheWords(DateTimeZone zone, LocalDate date, LocalTime time) =>
        WallClock.Shows(zone, date + time).Count switch
        {
            0 when !WallClock.ShowsDate(zone, date) => CutoffResolution.DateAbsent,
            0 => CutoffResolution.Shifted,
            1 => CutoffResolution.Once,
            _ => CutoffResolution.LaterOfTwo,
        };

    private static string WalkAroundTransitions(Interval span, Duration step)
    {
        var zones = DistinctZones(span);
        var steps = new ConcurrentBag<long>();
        Parallel.ForEach(zones, zone =>
        {
            foreach (var time in AwkwardTimes)
            foreach (var transition in zone.Transitions)
                steps.Add(Walk(zone.Zone, time, transition, step));
        });
        var transitions = zones.Sum(zone => zone.Transitions.Count);
        return $"{steps.Sum():N0} instants around {transitions:N0} transitions of {zones.Count} zones that differ";
    }

    /// <summary>Returns how many instants were looked at.</summary>
    private static long Walk(DateTimeZone zone, LocalTime time, Instant transition, Duration step)
    {
        var clock = new CutoffClock(zone, time);
        var before = Neighbours.Of(clock, zone, transition - Reach);
        var steps = 1L;
        for (var now = transition - Reach + step; now <= transition + Reach; now += step, steps++)
        {
            var (last, next) = Neighbours.Of(clock, zone, now);
            var isSameDay = now < before.Next.At;
            if (isSameDay && (last, next) != (before.Last, before.Next))
                Assert.Fail($"{zone.Id} {time} at {now}: {last} and {next} changed between two cutoffs.");
            if (!isSameDay && last.Date < before.Next.Date)
                Assert.Fail($"{zone.Id} {time} at {now}: {last} is last although {before.Next} has passed.");
            before = new Neighbours(last, next);
        }

        return steps;
    }

    /// <summary>
    /// Each zone with its transitions in the span. Of zones with the same clock changes in it, aliases included, one
    /// stands for all: the rule sees nothing else of a zone.
    /// </summary>
    private static List<(DateTimeZone Zone, List<Instant> Transitions)> DistinctZones(Interval span) =>
    [
        .. ZoneCatalogue.Names.Order(StringComparer.Ordinal)
            .Select(name => ZoneCatalogue.Find(name)!)
            .DistinctBy(zone => Signature(zone, span))
            .Select(zone => (zone, zone.GetZoneIntervals(span).Skip(1).Select(stretch => stretch.Start).ToList())),
    ];

    private static string Signature(DateTimeZone zone, Interval span) =>
        string.Join(';', zone.GetZoneIntervals(span).Select((stretch, index) =>
            $"{(index == 0 ? span.Start : stretch.Start)} {stretch.WallOffset}"));

    private readonly record struct Neighbours(Cutoff Last, Cutoff Next)
    {
        /// <summary>The cutoffs around now, after a look at what must hold for any two neighbours.</summary>
        public static Neighbours Of(CutoffClock clock, DateTimeZone zone, Instant now)
        {
            var (last, next) = (clock.LastPassed(now), clock.NextAfter(now));
            if (last.At > now || next.At <= now)
                Assert.Fail($"{zone.Id} at {now}: not next {next} > now >= last {last}.");
            if (next.Date != last.Date.PlusDays(1))
                Assert.Fail($"{zone.Id} at {now}: {next} is not of the date after {last}.");
            var beforeLast = clock.On(last.Date.PlusDays(-1));
            var isAbsent = beforeLast.Resolution == CutoffResolution.DateAbsent;
            if (beforeLast.At > last.At || (beforeLast.At == last.At) != isAbsent)
                Assert.Fail($"{zone.Id} at {now}: {beforeLast} and {last} are out of order.");
            return new Neighbours(last, next);
        }
    }
}
