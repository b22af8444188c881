using Actors.Grains.Interfaces;
using NodaTime;
using NodaTime.Text;
using Xunit;

namespace Actors.Tests.Integration.Grains;

/// <summary>Exactly what must be marked is marked, at the instant at which it must be, and nothing else.</summary>
public sealed class MarkingTests(GrainWorld world) : IClassFixture<GrainWorld>
{
    /// <summary>
    /// PostgreSQL keeps microseconds: this far before a cutoff is the last instant that it can tell apart.
    /// </summary>
    private static readonly Duration LastMoment = Duration.FromTicks(10);

    [Fact]
    public async Task What_is_pending_active_and_due_becomes_overdue_and_nothing_else()
    {
        var agency = await world.AddServedAgencyAsync("2031-02-03T18:00:00Z");
        var other = await world.AddServedAgencyAsync("2031-02-03T18:00:00Z");
        Guid[] due =
        [
            await world.AddInstallmentAsync(agency, "2031-02-04"),
            await world.AddInstallmentAsync(agency, "2031-02-03"),
            await world.AddInstallmentAsync(agency, "2019-12-31"),
        ];
        var left = new Dictionary<Guid, string>
        {
            [await world.AddInstallmentAsync(agency, "2031-02-05")] = "pending",
            [await world.AddInstallmentAsync(agency, due: null)] = "pending",
            [await world.AddInstallmentAsync(agency, "2031-02-01", "paid")] = "paid",
            [await world.AddInstallmentAsync(agency, "2031-02-01", "partial")] = "partial",
            [await world.AddInstallmentAsync(agency, "2031-02-01", "cancelled")] = "cancelled",
            [await world.AddInstallmentAsync(agency, "2031-02-01", "draft")] = "draft",
            [await world.AddInstallmentAsync(agency, "2031-02-01", "overdue")] = "overdue",
            [await world.AddInstallmentAsync(agency, "2031-02-01", plan: "cancelled")] = "pending",
            [await world.AddInstallmentAsync(agency, "2031-02-01", plan: "paused")] = "pending",
            [await world.AddInstallmentAsync(other, "2031-02-01")] = "pending",
        };
        world.Clock.Now = GrainWorld.At("2031-02-04T17:00:00Z");

        var result = await world.BringUpToDateAsync(agency);

        Assert.Equal((AgencyRunOutcome.UpToDate, 3), (result.Outcome, result.RecordsUpdated));
        foreach (var installment in due) Assert.Equal("overdue", await world.StatusOfAsync(installment));
        foreach (var (installment, status) in left) Assert.Equal(status, await world.StatusOfAsync(installment));
        Assert.Equal(
            due.Order(),
            (await world.ReadAsync<Guid[]>(
                "SELECT installment_ids FROM agency_runs WHERE agency_id = $1 AND cutoff_date = '2031-02-04'", agency))
            .Order());
    }

    [Theory]
    [InlineData("America/Los_Angeles", "2031-03-04", "2031-03-05T01:00:00Z")]
    [InlineData("Asia/Tokyo", "2031-03-04", "2031-03-04T08:00:00Z")]
    public async Task Defect_1_Los_Angeles_is_not_marked_early_and_Tokyo_not_late(
        string zone, string due, string cutoff)
    {
        var at = GrainWorld.At(cutoff);
        var agency = await world.AddServedAgencyAsync(InstantPattern.General.Format(at - Duration.FromHours(1)), zone);
        var installment = await world.AddInstallmentAsync(agency, due);
        world.Clock.Now = at - LastMoment;

        var before = await world.BringUpToDateAsync(agency, RunTrigger.CatchUp);
        Assert.Equal(AgencyRunOutcome.NothingUnserved, before.Outcome);
        Assert.Equal("pending", await world.StatusOfAsync(installment));

        world.Clock.Now = at;
        var then = await world.BringUpToDateAsync(agency);
        Assert.Equal(1, then.RecordsUpdated);
        Assert.Equal("overdue", await world.StatusOfAsync(installment));
    }

    [Fact]
    public async Task Defect_2_each_agency_is_marked_at_its_own_cutoff_and_not_with_the_others()
    {
        const string Before = "2031-04-02T07:00:00Z";
        var brisbane = await world.AddServedAgencyAsync("2031-04-02T06:59:59Z", "Australia/Brisbane");
        var london = await world.AddServedAgencyAsync("2031-04-02T06:59:59Z", "Europe/London");
        var inBrisbane = await world.AddInstallmentAsync(brisbane, "2031-04-02");
        var inLondon = await world.AddInstallmentAsync(london, "2031-04-02");
        world.Clock.Now = GrainWorld.At(Before);

        await Task.WhenAll(world.BringUpToDateAsync(brisbane), world.BringUpToDateAsync(london));
        Assert.Equal("overdue", await world.StatusOfAsync(inBrisbane));
        Assert.Equal("pending", await world.StatusOfAsync(inLondon));

        world.Clock.Now = GrainWorld.At("2031-04-02T16:00:00Z");
        await world.BringUpToDateAsync(london);
        Assert.Equal("overdue", await world.StatusOfAsync(inLondon));
    }

    [Fact]
    public async Task Defect_3_at_the_cutoff_itself_everything_is_marked_and_an_instant_before_it_nothing()
    {
        var agency = await world.AddServedAgencyAsync("2031-05-05T16:59:59Z");
        var installment = await world.AddInstallmentAsync(agency, "2031-05-05");
        world.Clock.Now = GrainWorld.At("2031-05-05T17:00:00Z") - LastMoment;
        await world.BringUpToDateAsync(agency, RunTrigger.CatchUp);
        Assert.Equal("pending", await world.StatusOfAsync(installment));
        Assert.Equal(["2031-05-04 success 0"], await world.LedgerAsync(agency));

        world.Clock.Now = GrainWorld.At("2031-05-05T17:00:00Z");
        await world.BringUpToDateAsync(agency);

        Assert.Equal("overdue", await world.StatusOfAsync(installment));
        Assert.Equal(["2031-05-04 success 0", "2031-05-05 success 1"], await world.LedgerAsync(agency));
    }

    [Fact]
    public async Task What_comes_after_the_cutoff_waits_for_the_next_one_unless_somebody_asks()
    {
        var agency = await world.AddServedAgencyAsync("2031-06-03T17:00:00Z");
        var late = await world.AddInstallmentAsync(agency, "2031-06-01");

        Assert.Equal(AgencyRunOutcome.NothingUnserved, (await world.BringUpToDateAsync(agency)).Outcome);
        Assert.Equal("pending", await world.StatusOfAsync(late));

        var asked = await world.BringUpToDateAsync(agency, RunTrigger.Api);
        var row = Assert.Single(asked.Served);
        Assert.Equal((GrainWorld.Date("2031-06-03"), false, 1), (row.CutoffDate, row.ServesCutoff, row.RecordsUpdated));
        Assert.Equal("overdue", await world.StatusOfAsync(late));
        Assert.Equal("success", await world.StatusOfClosedAsync(asked.Job!.Value.Value));

        var again = await world.BringUpToDateAsync(agency, RunTrigger.Api);
        Assert.Equal(0, again.RecordsUpdated);
        Assert.Equal(
            [1, 0],
            await world.ListAsync<int>(
                """
                SELECT records_updated FROM agency_runs
                WHERE agency_id = $1 AND NOT serves_cutoff ORDER BY records_updated DESC
                """, agency));
        Assert.Equal(["2031-06-03 success 0"], await world.LedgerAsync(agency));
    }

    [Fact]
    public async Task A_paused_agency_is_left_alone_also_when_asked()
    {
        var agency = await world.AddServedAgencyAsync("2031-07-01T17:00:00Z");
        var installment = await world.AddInstallmentAsync(agency, "2031-07-02");
        await world.ExecuteAsync("UPDATE agency_cutoffs SET paused_at = now() WHERE agency_id = $1", agency);
        world.Clock.Now = GrainWorld.At("2031-07-02T17:00:00Z");

        Assert.Equal(AgencyRunOutcome.Paused, (await world.BringUpToDateAsync(agency)).Outcome);
        Assert.Equal(AgencyRunOutcome.Paused, (await world.BringUpToDateAsync(agency, RunTrigger.Api)).Outcome);
        Assert.Equal("pending", await world.StatusOfAsync(installment));
        Assert.Equal(["2031-07-01 success 0"], await world.LedgerAsync(agency));
    }

    [Fact]
    public async Task Running_twice_finds_nothing_to_do_and_so_does_an_agency_that_is_not_there()
    {
        var agency = await world.AddServedAgencyAsync("2031-08-01T17:00:00Z");

        var results = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => world.BringUpToDateAsync(agency)));

        Assert.All(results, result => Assert.Equal(AgencyRunOutcome.NothingUnserved, result.Outcome));
        Assert.Equal(AgencyRunOutcome.NotFound, (await world.BringUpToDateAsync(Guid.NewGuid())).Outcome);
    }
}
