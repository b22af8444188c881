using System.Text.Json;
using Actors.Grains.Cutoffs;
using CsCheck;
using NodaTime;
using NodaTime.Text;

namespace Actors.Tests.Integration.Rule;

/// <summary>An agency as it stands in the tables, in the words of their columns.</summary>
internal sealed record RandomAgency(
    Guid id, string timezone, string overdue_cutoff_time, string? last_cutoff_date, string? last_cutoff_at,
    string? next_cutoff_date, string? next_cutoff_at, string settings_changed_at, string? paused_at,
    int failed_attempts, string? failed_date, bool failed_serves);

internal sealed record RandomPlan(Guid id, Guid agency_id, string status);

internal sealed record RandomInstallment(Guid id, Guid payment_plan_id, string? student_due_date, string status);

/// <summary>
/// One to four agencies with plans and installments in every status, at an instant near a cutoff that is near a clock
/// change, where the zone has any.
/// </summary>
/// <param name="Asked">Whether the run is asked for.</param>
/// <param name="DatesPerWave">How many dates a silo serves in one transaction.</param>
internal sealed record RandomDataSet(
    Instant Now, bool Asked, int DatesPerWave, IReadOnlyList<RandomAgency> Agencies, IReadOnlyList<RandomPlan> Plans,
    IReadOnlyList<RandomInstallment> Installments)
{
    /// <summary>Every instant that is used lies in it. It is past, so that new tz releases seldom change it.</summary>
    public static readonly Interval Span =
        new(Instant.FromUtc(2023, 12, 1, 0, 0), Instant.FromUtc(2025, 3, 1, 0, 0));

    private static readonly LocalDate FirstDay = new(2024, 2, 15);

    private static readonly LocalTime[] Times =
    [
        LocalTime.Midnight, new(0, 30), new(1, 30), new(2, 0), new(2, 30), new(2, 30), new(2, 30), new(3, 0),
        new(17, 0), new(23, 59, 59),
    ];

    private static readonly string[] PlanWords =
        ["active", "active", "active", "active", "active", "draft", "paused", "completed", "cancelled"];

    private static readonly string[] Words =
        ["pending", "pending", "pending", "pending", "pending", "paid", "partial", "overdue", "cancelled", "draft"];

    private static readonly Gen<LocalTime> Time = Gen.Frequency(
        (7, Gen.OneOf(Times)), (1, Gen.Int[0, 86_399].Select(second => LocalTime.FromSecondsSinceMidnight(second))));

    private static readonly Gen<Duration> NearCutoff = Gen.Frequency(
        (4, Gen.OneOf(0L, 0L, -1_000_000L, 1_000_000L, -1L, 1L).Select(Micros)),
        (1, Gen.Long[-108_000_000_000, 108_000_000_000].Select(Micros)));

    private static readonly Gen<InstallmentSeed[]> Seeds =
        Gen.Select(Gen.Frequency((3, Gen.Int[-2, 2]), (1, Gen.Int[-45, 4])), Gen.Int[0, 9], Gen.OneOf(Words),
            (offset, none, word) => new InstallmentSeed(none == 0 ? null : offset, word)).Array[0, 6];

    private static readonly Gen<AgencySeed> Agency = Gen.Select(
        Gen.Double.Unit, Time, Gen.Int[0, 8], Gen.Int[0, 40], Gen.Int[0, 9], Gen.Int[0, 60],
        Gen.Select(Gen.OneOf(PlanWords), Seeds).Array[0, 3],
        (zone, time, kind, behind, extras, settings, plans) =>
            new AgencySeed(zone, time, kind, behind, extras, settings, plans));

    /// <summary>To the microsecond, as PostgreSQL keeps instants.</summary>
    public static string Text(Instant instant) => InstantPattern.ExtendedIso.Format(instant);

    /// <summary>Shown beside the seed of a failure.</summary>
    public override string ToString() => $"{Text(Now)} asked {Asked} dates per wave {DatesPerWave}\n"
        + string.Join('\n', JsonSerializer.Serialize(Agencies), JsonSerializer.Serialize(Plans),
            JsonSerializer.Serialize(Installments));

    /// <param name="zones">Zones that change their clocks within the span, and those that do not.</param>
    public static Gen<RandomDataSet> In(ILookup<bool, string> zones) => Gen.Select(
        Agency.Array[1, 4], NearCutoff, Gen.Int[0, 340], Gen.Bool, Gen.OneOf(1, 2, 7, 31),
        (agencies, near, day, asked, dates) => Make(agencies, near, day, asked, dates, zones));

    private static RandomDataSet Make(
        AgencySeed[] seeds, Duration near, int day, bool asked, int dates, ILookup<bool, string> zones)
    {
        var first = ClockOf(seeds[0], zones);
        var now = first.Clock.On(NearChange(first.Zone, FirstDay.PlusDays(day))).At + near;
        var agencies = new List<RandomAgency>();
        var plans = new List<RandomPlan>();
        var installments = new List<RandomInstallment>();
        foreach (var seed in seeds)
        {
            var (zone, clock) = ClockOf(seed, zones);
            var passed = clock.LastPassed(now).Date;
            var agency = AgencyOf(RuleDatabase.Id(agencies.Count + 1), seed, zone.Id, clock, now, asked);
            agencies.Add(agency);
            foreach (var (word, dues) in seed.Plans)
            {
                plans.Add(new RandomPlan(RuleDatabase.Id(100 + plans.Count), agency.id, word));
                var before = 1_000 + installments.Count;
                installments.AddRange(dues.Select((due, n) => new RandomInstallment(
                    RuleDatabase.Id(before + n), plans[^1].id,
                    due.Offset is { } offset ? Text(passed.PlusDays(offset)) : null, due.Word)));
            }
        }

        return new RandomDataSet(now, asked, dates, agencies, plans, installments);
    }

    /// <summary>The watermark by its kind: none (new), up to date, one ahead (moved west), or behind.</summary>
    private static RandomAgency AgencyOf(
        Guid id, AgencySeed seed, string zone, CutoffClock clock, Instant now, bool asked)
    {
        LocalDate? last = seed.Kind switch
        {
            0 => null,
            1 or 2 => clock.LastPassed(now).Date,
            3 => clock.LastPassed(now).Date.PlusDays(1),
            4 => clock.LastPassed(now).Date.PlusDays(-1),
            _ => clock.LastPassed(now).Date.PlusDays(-seed.Behind),
        };
        var failed = seed.Extras == 1;
        var next = last is { } date ? clock.On(date.PlusDays(1)) : default;
        // Whose next cutoff is stored and ahead, a sweep does not look at, whether it failed before or not.
        var stores = last is not null && seed.Extras != 2 && (asked || !failed || next.At <= now);
        // Under earlier settings the last cutoff was at another instant.
        var lastAt = last is { } served ? clock.On(served).At - Duration.FromHours(stores ? 0 : 3) : (Instant?)null;
        var failedServes = last is not null && next.At <= now;
        return new RandomAgency(
            id, zone, Text(seed.Time), last is null ? null : Text(last.Value), lastAt is { } at ? Text(at) : null,
            stores ? Text(next.Date) : null, stores ? Text(next.At) : null,
            Text(now - Duration.FromHours(seed.SettingsAge)),
            seed.Extras == 3 ? Text(now) : null,
            failed ? 1 + seed.Behind : 0,
            last is { } d ? Text(failedServes ? d.PlusDays(1) : d) : null, failedServes);
    }

    /// <summary>The day, or where clocks change, a day at most one away from the first change after it.</summary>
    private static LocalDate NearChange(DateTimeZone zone, LocalDate day)
    {
        var stretch = zone.GetZoneInterval(day.AtStartOfDayInZone(zone).ToInstant());
        if (!stretch.HasEnd || stretch.End > Span.End - Duration.FromDays(20)) return day;
        return stretch.IsoLocalEnd.Date.PlusDays((day.DayOfYear % 3) - 1);
    }

    private static (DateTimeZone Zone, CutoffClock Clock) ClockOf(AgencySeed seed, ILookup<bool, string> zones)
    {
        // Three of four agencies are where clocks change.
        var changing = seed.Zone < 0.75;
        var names = zones[changing].ToList();
        var part = changing ? seed.Zone / 0.75 : (seed.Zone - 0.75) * 4;
        var zone = ZoneCatalogue.Find(names[(int)(part * names.Count)])!;
        return (zone, new CutoffClock(zone, seed.Time));
    }

    private static Duration Micros(long micros) => Duration.FromTicks(micros * 10);

    private static string Text(LocalDate date) => LocalDatePattern.Iso.Format(date);

    private static string Text(LocalTime time) => LocalTimePattern.ExtendedIso.Format(time);

    private sealed record InstallmentSeed(int? Offset, string Word);

    private sealed record AgencySeed(
        double Zone, LocalTime Time, int Kind, int Behind, int Extras, int SettingsAge,
        (string, InstallmentSeed[])[] Plans);
}
