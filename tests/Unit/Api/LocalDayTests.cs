using Actors.Api.Installments;
using Actors.Grains.Cutoffs;
using NodaTime;
using Xunit;

namespace Actors.Tests.Unit.Api;

/// <summary>
/// What lists say of today's cutoffs is what the rule says, in every zone, also around its clock changes.
/// </summary>
public sealed class LocalDayTests
{
    private static readonly Instant From = Instant.FromUtc(2009, 1, 1, 0, 0);
    private static readonly Instant To = Instant.FromUtc(2027, 1, 1, 0, 0);

    private static readonly Duration[] Around =
    [
        .. new[] { -3000, -1441, -181, -121, -61, -60, -59, -31, -30, -29, -1 }.Select(Minutes),
        -Duration.Epsilon,
        Duration.Zero,
        Duration.Epsilon,
        .. new[] { 1, 15, 29, 30, 31, 59, 60, 61, 119, 121, 1441, 3000 }.Select(Minutes),
    ];

    private static readonly LocalTime[] Cutoffs =
    [
        .. Enumerable.Range(0, 48).Select(half => LocalTime.Midnight.PlusMinutes(30 * half)),
        new(0, 0, 1), new(0, 15), new(1, 45), new(2, 15), new(2, 59, 59), new(3, 0, 1), new(23, 59, 59),
    ];

    public static TheoryData<string> Zones => [.. DateTimeZoneProviders.Tzdb.Ids];

    [Theory]
    [MemberData(nameof(Zones))]
    public void Todays_cutoff_has_passed_when_the_rule_says_so(string id)
    {
        var zone = DateTimeZoneProviders.Tzdb[id];
        var instants = zone.GetZoneIntervals(From, To)
            .Where(interval => interval.HasStart && interval.Start > From)
            .TakeLast(6)
            .Select(interval => interval.Start)
            .Append(Instant.FromUtc(2026, 7, 1, 12, 34))
            .SelectMany(change => Around.Select(near => change + near));

        foreach (var now in instants)
        {
            var day = LocalDay.At(now, zone);
            foreach (var cutoff in Cutoffs)
            {
                var passed = new CutoffClock(zone, cutoff).LastPassed(now).Date >= day.Today;
                if (passed != day.HasPassed(cutoff))
                    Assert.Fail($"{id} {cutoff} at {now}: {day} says {!passed}, the rule says {passed}");
            }
        }
    }

    private static Duration Minutes(int minutes) => Duration.FromMinutes(minutes);
}
