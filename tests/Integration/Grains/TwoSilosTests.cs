using Actors.Grains.Interfaces;
using Xunit;

namespace Actors.Tests.Integration.Grains;

/// <summary>Whoever else is at work on the same agencies at the same moment.</summary>
public sealed class TwoSilosTests(GrainWorld world) : IClassFixture<GrainWorld>
{
    [Fact]
    public async Task Defect_10_two_clusters_and_the_function_in_SQL_race_and_each_installment_is_marked_once()
    {
        await using var other = await world.StartOtherClusterAsync();
        var agencies = new List<Guid>();
        for (var i = 0; i < 30; i++)
        {
            agencies.Add(await world.AddServedAgencyAsync("2031-01-10T16:30:00Z"));
            for (var j = 0; j < 5; j++) await world.AddInstallmentAsync(agencies[^1], "2031-01-10");
        }

        world.Clock.Now = GrainWorld.At("2031-01-10T17:00:00Z");

        var byFunction = world.ReadAsync<long>(
            "SELECT coalesce(sum(updated_count), 0) FROM serve_cutoffs_in_sql($1, false)", world.Clock.Now);
        var results = await Task.WhenAll(agencies.SelectMany(agency => new[]
        {
            world.BringUpToDateAsync(agency), world.BringUpToDateAsync(agency, silo: other),
        }));

        // One that found its agency held by another three times over says so, and nothing was lost by it.
        Assert.All(
            results.Where(result => result.Outcome == AgencyRunOutcome.Failed),
            result => Assert.Contains("locked by another transaction", result.Error, StringComparison.Ordinal));
        Assert.Equal(150, results.Sum(result => result.RecordsUpdated) + await byFunction);
        Assert.Equal(150, await world.ReadAsync<long>(
            "SELECT count(*) FROM installments WHERE status = 'overdue'"));
        Assert.Equal((150L, 150L), (
            await world.ReadAsync<long>("SELECT count(*) FROM agency_runs, unnest(installment_ids)"),
            await world.ReadAsync<long>("SELECT count(DISTINCT i) FROM agency_runs, unnest(installment_ids) AS i")));
        foreach (var agency in agencies)
            Assert.Equal(["2031-01-09 success 0", "2031-01-10 success 5"], await world.LedgerAsync(agency));
    }
}
