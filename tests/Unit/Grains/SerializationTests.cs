using System.Net.Sockets;
using Actors.Grains;
using Actors.Grains.Interfaces;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;
using Npgsql;
using Orleans.Serialization;
using Xunit;

namespace Actors.Tests.Unit.Grains;

/// <summary>What travels between silos arrives as it was sent, through Orleans' own serializer.</summary>
public sealed class SerializationTests : IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddSerializer().BuildServiceProvider();

    public void Dispose() => _services.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(-62_135_596_800L)]
    [InlineData(1_924_938_000L)]
    [InlineData(253_402_300_799L)]
    public void An_instant_keeps_its_ticks(long unixSeconds)
    {
        var instant = Instant.FromUnixTimeSeconds(unixSeconds).PlusTicks(7);

        Assert.Equal(instant, RoundTrip(instant));
        Assert.Equal(instant, RoundTrip<Instant?>(instant));
        Assert.Null(RoundTrip<Instant?>(null));
    }

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(2011, 12, 30)]
    [InlineData(2024, 2, 29)]
    [InlineData(9999, 12, 31)]
    public void A_date_stays_the_same_date(int year, int month, int day) =>
        Assert.Equal(new LocalDate(year, month, day), RoundTrip(new LocalDate(year, month, day)));

    [Fact]
    public void A_request_and_its_answer_arrive_whole()
    {
        var agency = new AgencyId(Guid.NewGuid());
        var job = new JobId(Guid.NewGuid());
        var request = new RunRequest(RunTrigger.Api, job, "a key", "a reason");
        var served = new ServedCutoff(new LocalDate(2026, 5, 20), Instant.FromUnixTimeTicks(17), true, 3);
        var result = new AgencyRunResult(
            agency, AgencyRunOutcome.UpToDate, job, [served], Instant.FromUnixTimeTicks(18), null);

        Assert.Equal(request, RoundTrip(request));
        var arrived = RoundTrip(result);
        Assert.Equal(result with { Served = arrived.Served }, arrived);
        Assert.Equal([served], arrived.Served);
        Assert.Equal(3, arrived.RecordsUpdated);
    }

    [Fact]
    public void The_answer_for_all_agencies_arrives_whole()
    {
        var count = new AgencyCount(new AgencyId(Guid.NewGuid()), 5);
        var failure = new AgencyFailure(new AgencyId(Guid.NewGuid()), "broken");

        var arrived = RoundTrip(
            new RunAllResult(new JobId(Guid.NewGuid()), [count], [failure], "1 of 2 agencies failed"));

        Assert.Equal([count], arrived.Agencies);
        Assert.Equal([failure], arrived.Failures);
        Assert.Equal("1 of 2 agencies failed", arrived.Error);
    }

    [Fact]
    public void A_look_ahead_arrives_whole()
    {
        var next = new Cutoff(
            new LocalDate(2026, 10, 25), Instant.FromUnixTimeTicks(17), CutoffResolution.LaterOfTwo);
        var outlook = new CutoffOutlook(
            new AgencyId(Guid.NewGuid()), Instant.FromUnixTimeTicks(18), "Europe/London",
            new LocalTime(23, 59, 59).PlusNanoseconds(7), "2026f", true,
            new LastServed(new LocalDate(2026, 10, 20), Instant.FromUnixTimeTicks(16)), [next],
            new UnservedDates(new LocalDate(2026, 10, 21), new LocalDate(2026, 10, 24), 4),
            new LocalDate(2026, 10, 24), new LocalDate(2026, 10, 21), "a problem");

        var arrived = RoundTrip(outlook);

        Assert.Equal(outlook with { NextCutoffs = arrived.NextCutoffs }, arrived);
        Assert.Equal([next], arrived.NextCutoffs);
        Assert.Null(RoundTrip<CutoffOutlook?>(null));
    }

    [Fact]
    public void What_became_of_a_resume_and_of_an_undo_arrives_whole()
    {
        var row = new ServedCutoff(new LocalDate(2026, 5, 20), Instant.FromUnixTimeTicks(17), true, 3);
        var resume = new ResumeResult(
            new AgencyId(Guid.NewGuid()), ResumeOutcome.CatchUpFailed, new JobId(Guid.NewGuid()), [row],
            [row with { RecordsUpdated = 0 }], Instant.FromUnixTimeTicks(19), "an error");
        var left = new LeftOutInstallment(Guid.NewGuid(), LeftOutReason.HeldByLaterRun);
        var undo = new UndoResult(
            Guid.NewGuid(), UndoOutcome.Undone, 2, [left], 1, Instant.FromUnixTimeTicks(20), "an error");
        var request = new RunAllRequest(
            new JobId(Guid.NewGuid()), "a key", "a reason", [new AgencyId(Guid.NewGuid())]);

        var (resumed, undone, asked) = (RoundTrip(resume), RoundTrip(undo), RoundTrip(request));

        Assert.Equal(resume with { Served = resumed.Served, Skipped = resumed.Skipped }, resumed);
        Assert.Equal(resume.Served, resumed.Served);
        Assert.Equal(resume.Skipped, resumed.Skipped);
        Assert.Equal(3, resumed.RecordsUpdated);
        Assert.Equal(undo with { LeftOut = undone.LeftOut }, undone);
        Assert.Equal(undo.LeftOut, undone.LeftOut);
        Assert.Equal(request with { Agencies = asked.Agencies }, asked);
        Assert.Equal(request.Agencies, asked.Agencies);
    }

    [Fact]
    public void An_error_of_the_database_is_the_same_error_on_another_silo()
    {
        Exception[] errors =
        [
            new PostgresException("ended by an administrator", "FATAL", "FATAL", "57P01"),
            new PostgresException("no", "FEHLER", "ERROR", "53100", detail: "a row", routine: "exec_stmt_raise"),
            new NpgsqlException("broken", new IOException("reset", new SocketException(104))),
        ];

        foreach (var error in errors)
        {
            var arrived = RoundTrip(error);

            Assert.Equal(error.GetType(), arrived.GetType());
            Assert.StartsWith(arrived.Message, error.Message, StringComparison.Ordinal);
            Assert.Equal(error.InnerException?.GetType(), arrived.InnerException?.GetType());
            Assert.Equal(DatabaseErrors.IsTransient(error), DatabaseErrors.IsTransient(arrived));
            Assert.Equal(DatabaseErrors.IsOutage(error), DatabaseErrors.IsOutage(arrived));
            Assert.Equal(DatabaseErrors.MayBeOfOneAgency(error), DatabaseErrors.MayBeOfOneAgency(arrived));
            Assert.DoesNotContain("a row", arrived.ToString(), StringComparison.Ordinal);
        }
    }

    private T RoundTrip<T>(T value)
    {
        var serializer = _services.GetRequiredService<Serializer<T>>();
        return serializer.Deserialize(serializer.SerializeToArray(value))!;
    }
}
