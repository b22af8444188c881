using Actors.Grains.Cutoffs;
using Actors.Silo.Sample;
using CsCheck;
using NodaTime;
using NodaTime.Text;
using Xunit;

namespace Actors.Tests.Unit.Import;

public sealed class SampleDataTests
{
    private static readonly string[] Plans = ["active", "paused"];
    private static readonly string[] Installments = ["pending", "paid", "overdue"];

    private static readonly Gen<Instant> Instants = Gen.Long[0, 20L * 365 * 86_400 * 1_000].Select(
        milliseconds => Instant.FromUtc(2020, 1, 1, 0, 0) + Duration.FromMilliseconds(milliseconds));

    [Fact]
    public void The_last_two_agencies_have_their_next_cutoff_one_and_two_minutes_ahead() =>
        Instants.Sample(now =>
        {
            var sample = SampleData.Create(now, Plans, Installments);
            var agencies = Rows(sample.Agencies)[^2..];
            foreach (var (index, agency) in agencies.Index())
            {
                var next = new CutoffClock(
                    DateTimeZoneProviders.Tzdb[agency[2]], LocalTimePattern.ExtendedIso.Parse(agency[3]).Value)
                    .NextAfter(now);
                Assert.InRange(next.At - now, Ahead(index), Ahead(index) + Duration.FromSeconds(1));
                Assert.Equal(3, PendingDueOn(sample, agency[0], next.Date));
            }
        });

    [Theory]
    [InlineData(23, 59, 30, 0)]
    [InlineData(23, 59, 0, 0)]
    [InlineData(23, 58, 0, 0)]
    [InlineData(23, 57, 59, 999)]
    public void Midnight_may_come_between(int hour, int minute, int second, int millisecond)
    {
        var now = new LocalDateTime(2026, 12, 31, hour, minute, second, millisecond).InUtc().ToInstant();
        var sample = SampleData.Create(now, Plans, Installments);
        var cutoff = Rows(sample.Agencies)[^1];
        var due = millisecond == 0 ? now + Ahead(1) : now + Ahead(1) + Duration.FromMilliseconds(1);
        Assert.Equal(LocalTimePattern.ExtendedIso.Format(due.InUtc().TimeOfDay), cutoff[3]);
        Assert.Equal(3, PendingDueOn(sample, cutoff[0], due.InUtc().Date));
    }

    [Fact]
    public void The_same_instant_gives_the_same_files() =>
        Instants.Sample(now => Assert.Equal(
            SampleData.Create(now, Plans, Installments), SampleData.Create(now, Plans, Installments)));

    [Fact]
    public void Ids_never_change_and_are_unique()
    {
        var first = SampleData.Create(Instant.FromUtc(2026, 1, 1, 0, 0), Plans, Installments);
        var later = SampleData.Create(Instant.FromUtc(2031, 7, 9, 3, 4, 5), Plans, Installments);
        Assert.Equal(Ids(first), Ids(later));
        Assert.Distinct(Ids(first));
    }

    private static Duration Ahead(int index) => Duration.FromMinutes(index + 1);

    private static string[] Ids(SampleData sample) =>
        [.. Rows(sample.Agencies).Concat(Rows(sample.Plans)).Concat(Rows(sample.Installments)).Select(row => row[0])];

    private static int PendingDueOn(SampleData sample, string agency, LocalDate date)
    {
        var plan = Rows(sample.Plans).Single(row => row[1] == agency && row[2] == "active")[0];
        return Rows(sample.Installments).Count(
            row => row[1] == plan && row[3] == LocalDatePattern.Iso.Format(date) && row[4] == "pending");
    }

    private static string[][] Rows(string csv) =>
        [.. csv.Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(line => line.Split(','))];
}
