using System.Text.Json;
using Actors.Grains.Cutoffs;
using Actors.Grains.Interfaces;
using Actors.Tests.Integration.Rule;
using CsCheck;
using NodaTime;
using Xunit;

namespace Actors.Tests.Integration.Api.Agencies;

/// <summary>
/// What a preview says a run would mark, and nothing else, is what the run then marks: on random data.
/// </summary>
public sealed class PreviewThenRunTests(AgencyApi api, ITestOutputHelper output) : IClassFixture<AgencyApi>
{
    private const int DataSets = 60;

    [Fact]
    public async Task A_run_marks_exactly_what_its_preview_says_now_and_later()
    {
        var zones = ZoneCatalogue.Names
            .ToLookup(name => ZoneCatalogue.Find(name)!.GetZoneIntervals(RandomDataSet.Span).Skip(1).Any());
        await api.World.ExecuteAsync(
            "INSERT INTO supported_timezones SELECT unnest($1) ON CONFLICT DO NOTHING",
            [ZoneCatalogue.Names.ToArray()]);
        var (agencies, wouldMark, left) = (0, 0, 0);
        await Gen.Select(RandomDataSet.In(zones), Gen.OneOf(0, 0, 0, 1, 20, 30, 60)).SampleAsync(
            async (data, hoursAhead) =>
            {
                await api.World.ClearAsync();
                await api.World.ExecuteAsync("DELETE FROM agency_runs; DELETE FROM jobs_log");
                await RandomDataRows.FillAsync(api.World.Owner, data);
                var at = data.Now + Duration.FromHours(hoursAhead);
                foreach (var agency in data.Agencies)
                {
                    // The preview is asked for earlier than the run, where it is about a later instant.
                    api.World.Clock.Now = data.Now;
                    var preview = await PreviewAsync(agency.id, hoursAhead == 0 ? null : at);
                    api.World.Clock.Now = at;
                    var run = await api.World.BringUpToDateAsync(agency.id, RunTrigger.Api);
                    Assert.NotEqual(AgencyRunOutcome.Failed, run.Outcome);
                    Assert.Equal(preview.WouldMark, await MarkedAsync(agency.id));
                    Assert.Equal(preview.Count, preview.WouldMark.Count);
                    Assert.Equal(run.RecordsUpdated, preview.Count);
                    await StayAsync(preview.Left);
                    agencies++;
                    wouldMark += preview.WouldMark.Count;
                    left += preview.Left.Count;
                }
            },
            iter: DataSets,
            threads: 1);

        output.WriteLine($"{agencies} previews and runs; {wouldMark} installments marked, {left} left.");
        Assert.True(wouldMark > 50 && left > 50, $"{wouldMark} marked, {left} left");
    }

    /// <summary>The date under which each installment would be marked, and the status of each that would not.</summary>
    private async Task<(SortedDictionary<Guid, string> WouldMark, Dictionary<Guid, string> Left, int Count)>
        PreviewAsync(Guid agency, Instant? at)
    {
        var query = at is { } instant ? $"?at={RandomDataSet.Text(instant)}" : "";
        var items = await AgencyApi.AllPagesAsync(api.Reader, $"/api/agencies/{agency}/preview{query}", 3);
        var preview = await AgencyApi.ReadAsync(api.Reader, $"/api/agencies/{agency}/preview{query}");
        return (
            new(items.Where(WouldMark).ToDictionary(Id, item => item.GetProperty("standsUnder").GetString()!)),
            items.Where(item => !WouldMark(item)).ToDictionary(Id, item => item.GetProperty("status").GetString()!),
            preview.GetProperty("wouldMark").GetProperty("count").GetInt32());
    }

    /// <summary>The date in whose row of the ledger each installment stands that was marked.</summary>
    private async Task<SortedDictionary<Guid, string>> MarkedAsync(Guid agency)
    {
        var lines = await api.World.ListAsync<string>(
            """
            SELECT marked || ' ' || r.cutoff_date FROM agency_runs r, unnest(r.installment_ids) AS marked
            WHERE r.agency_id = $1
            """, agency);
        return new(lines.Select(line => line.Split(' '))
            .ToDictionary(parts => Guid.Parse(parts[0]), parts => parts[1]));
    }

    private async Task StayAsync(Dictionary<Guid, string> left)
    {
        foreach (var (installment, status) in left)
            Assert.Equal(status, await api.World.StatusOfAsync(installment));
    }

    private static bool WouldMark(JsonElement item) => item.GetProperty("wouldMark").GetBoolean();

    private static Guid Id(JsonElement item) => item.GetProperty("installmentId").GetGuid();
}
