using Actors.Grains.Interfaces;
using NodaTime;
using Xunit;

namespace Actors.Tests.Integration.Grains;

/// <summary>One agency that fails, among many that do not.</summary>
public sealed class FailingAgencyTests(GrainWorld world) : IClassFixture<GrainWorld>
{
    [Fact]
    public async Task Defect_4_one_bad_zone_fails_alone_and_is_served_once_it_is_corrected()
    {
        await world.ClearAsync();
        var good = new List<Guid>();
        for (var i = 0; i < 20; i++) good.Add(await DueAsync("2031-01-10"));
        var bad = await DueAsync("2031-01-10");
        await world.MoveAsync(bad, "Mars/Olympus");
        world.Clock.Now = GrainWorld.At("2031-01-10T17:00:30Z");

        var swept = await world.Coordinator.SweepAsync();

        Assert.Equal((21, 20, 1), (swept.AgenciesFound, swept.AgenciesBroughtUpToDate, swept.AgenciesFailed));
        foreach (var agency in good) Assert.Equal("2031-01-10 success 1", (await world.LedgerAsync(agency))[^1]);
        Assert.Equal(["2031-01-09 success 0", "2031-01-10 failed 0"], await world.LedgerAsync(bad));
        Assert.Equal(1, await world.OpenAlertsAsync($"agency_failed:{bad}"));
        Assert.Equal(1, await world.OpenAlertsAsync("run_failed:update-installment-statuses:catch_up"));
        Assert.StartsWith(
            $"failed 20 1 of 21 agencies failed: {bad}: timezone 'Mars/Olympus' is unknown to TZDB ",
            await JobOfAsync(bad, "2031-01-10"), StringComparison.Ordinal);

        // It is set aside: the next sweep leaves it alone, the one after its pause tries again.
        world.Clock.Now += Duration.FromSeconds(15);
        Assert.Equal(0, (await world.Coordinator.SweepAsync()).AgenciesFound);
        world.Clock.Now += Duration.FromSeconds(15);
        Assert.Equal(1, (await world.Coordinator.SweepAsync()).AgenciesFailed);
        Assert.Equal(2, await FailedAttemptsAsync(bad));
        Assert.Equal(["2031-01-09 success 0", "2031-01-10 failed 0"], await world.LedgerAsync(bad));

        await world.MoveAsync(bad, "UTC");
        world.Clock.Now += Duration.FromSeconds(1);
        Assert.Equal(1, (await world.Coordinator.SweepAsync()).AgenciesBroughtUpToDate);
        Assert.Equal(["2031-01-09 success 0", "2031-01-10 success 1"], await world.LedgerAsync(bad));
        Assert.StartsWith("success 1", await JobOfAsync(bad, "2031-01-10"), StringComparison.Ordinal);
        Assert.Equal(0, await FailedAttemptsAsync(bad));
        Assert.Equal(0, await world.OpenAlertsAsync($"agency_failed:{bad}"));
        world.Clock.Now += Duration.FromSeconds(1);
        await world.Coordinator.SweepAsync();
        Assert.Equal(0, await world.OpenAlertsAsync("run_failed:update-installment-statuses:catch_up"));
    }

    [Fact]
    public async Task An_agency_that_is_corrected_before_its_cutoff_is_well_again()
    {
        await world.ClearAsync();
        var agency = await world.AddServedAgencyAsync("2031-02-10T18:00:00Z");
        await world.MoveAsync(agency, "Mars/Olympus");
        Assert.Equal(AgencyRunOutcome.Failed, (await world.BringUpToDateAsync(agency, RunTrigger.CatchUp)).Outcome);

        await world.MoveAsync(agency, "UTC");
        await world.BringUpToDateAsync(agency, RunTrigger.CatchUp);

        Assert.Equal(0, await FailedAttemptsAsync(agency));
        Assert.Equal(0, await world.OpenAlertsAsync($"agency_failed:{agency}"));
        world.Clock.Now = GrainWorld.At("2031-02-11T17:00:00Z");
        await world.BringUpToDateAsync(agency);
        Assert.Equal(["2031-02-10 success 0", "2031-02-11 success 0"], await world.LedgerAsync(agency));
    }

    [Fact]
    public async Task A_new_agency_with_a_bad_zone_has_one_failure_which_its_first_row_takes_over()
    {
        await world.ClearAsync();
        world.Clock.Now = GrainWorld.At("2031-03-10T12:00:00Z");
        var agency = await world.AddAgencyAsync("Mars/Olympus");
        for (var i = 0; i < 2; i++) await world.BringUpToDateAsync(agency, RunTrigger.CatchUp);
        Assert.Equal(1, await world.ReadAsync<long>(
            "SELECT count(*) FROM agency_runs WHERE agency_id = $1 AND cutoff_date IS NULL", agency));

        await world.MoveAsync(agency, "UTC");
        await world.BringUpToDateAsync(agency, RunTrigger.CatchUp);

        Assert.Equal(1, await world.ReadAsync<long>("SELECT count(*) FROM agency_runs WHERE agency_id = $1", agency));
        Assert.Equal(["2031-03-09 success 0"], await world.LedgerAsync(agency));
    }

    [Theory]
    [InlineData("2031-04-10", "P0001", "a word of the application")]
    [InlineData("2031-04-11", "55000", "currval() before nextval()")]
    [InlineData("2031-04-12", "08001", "dblink to a server that is away")]
    [InlineData("2031-04-13", "40001", "a trigger that asks for another try")]
    [InlineData("2031-04-14", "40P01", "a deadlock with somebody")]
    [InlineData("2031-04-15", "57014", "a statement that takes too long")]
    [InlineData("2031-04-16", "55P03", "a wait for a lock")]
    [InlineData("2031-04-20", "25006", "a month that is closed")]
    public async Task An_applications_trigger_that_refuses_one_agency_does_not_hold_up_its_batch_mates(
        string date, string state, string why)
    {
        await world.ClearAsync();
        var agencies = new List<Guid>();
        for (var i = 0; i < 40; i++) agencies.Add(await DueAsync(date));
        var poisoned = agencies[17];
        await world.ExecuteAsync(
            $"""
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
              IF EXISTS (SELECT FROM payment_plans WHERE id = NEW.payment_plan_id AND agency_id = '{poisoned}') THEN
                RAISE EXCEPTION '{why}' USING ERRCODE = '{state}';
              END IF;
              RETURN NEW;
            END $$;
            CREATE TRIGGER refuse BEFORE UPDATE ON installments FOR EACH ROW EXECUTE FUNCTION refuse();
            """);
        world.Clock.Now = GrainWorld.At($"{date}T17:00:00Z");

        var results = await Task.WhenAll(agencies.Select(agency => world.BringUpToDateAsync(agency)));
        await world.ExecuteAsync("DROP FUNCTION refuse() CASCADE");

        Assert.Equal(
            [(new AgencyId(poisoned), $"{why} ({state})")],
            results.Where(result => result.Outcome == AgencyRunOutcome.Failed)
                .Select(result => (result.Agency, result.Error!)));
        Assert.Equal(39, results.Sum(result => result.RecordsUpdated));
        Assert.Equal("failed", await world.StatusOfClosedAsync(results[17].Job!.Value.Value));
        Assert.All(results, result => Assert.Equal(results[0].Job, result.Job));
        Assert.StartsWith(
            $"failed 39 1 of 40 agencies failed: {poisoned}: {why}",
            await JobOfAsync(poisoned, date), StringComparison.Ordinal);
    }

    private async Task<Guid> DueAsync(string date)
    {
        var agency = await world.AddServedAgencyAsync($"{date}T16:30:00Z");
        await world.AddInstallmentAsync(agency, date);
        return agency;
    }

    private Task<int> FailedAttemptsAsync(Guid agency) =>
        world.ReadAsync<int>("SELECT failed_attempts FROM agency_cutoffs WHERE agency_id = $1", agency);

    private Task<string> JobOfAsync(Guid agency, string date) => world.ReadAsync<string>(
        """
        SELECT concat_ws(' ', j.status, j.records_updated, j.error_message)
        FROM agency_runs r JOIN jobs_log j ON j.id = r.job_id
        WHERE r.agency_id = $1 AND r.cutoff_date = $2::text::date AND r.serves_cutoff
        """, agency, date);
}
