using Actors.Grains.Interfaces;
using NodaTime;
using Xunit;

namespace Actors.Tests.Integration.Grains;

/// <summary>A changed zone or cutoff time moves instants, and never loses a date or serves one twice.</summary>
public sealed class SettingsTests(GrainWorld world) : IClassFixture<GrainWorld>
{
    [Theory]
    [InlineData("Pacific/Auckland", "Pacific/Honolulu", "2031-02-10T05:00:00Z")]
    [InlineData("Pacific/Honolulu", "Pacific/Auckland", "2031-03-10T05:00:00Z")]
    [InlineData("Asia/Tokyo", "America/Los_Angeles", "2031-04-10T09:00:00Z")]
    [InlineData("America/Los_Angeles", "Asia/Tokyo", "2031-05-10T09:00:00Z")]
    public async Task A_move_over_the_date_line_loses_no_date_and_doubles_none(string from, string to, string moved)
    {
        var move = GrainWorld.At(moved);
        var start = move - Duration.FromDays(2);
        var agency = await world.AddServedAgencyAsync(
            NodaTime.Text.InstantPattern.General.Format(start), from);
        var first = GrainWorld.Date((await world.LedgerAsync(agency))[0][..10]);
        var installments = new List<Guid>();
        for (var day = 1; day <= 10; day++)
            installments.Add(await world.AddInstallmentAsync(agency, first.PlusDays(day).ToString("R", null)));

        for (var now = start; now < start + Duration.FromDays(6); now += Duration.FromHours(1))
        {
            world.Clock.Now = now;
            if (now == move) await world.MoveAsync(agency, to);
            await world.BringUpToDateAsync(agency);
        }

        var ledger = await world.LedgerAsync(agency);
        Assert.InRange(ledger.Count, 5, 8);
        Assert.Equal(
            Enumerable.Range(0, ledger.Count).Select(day =>
                $"{first.PlusDays(day):uuuu-MM-dd} success {(day == 0 ? 0 : 1)}"),
            ledger);
        // What is overdue stays overdue, and what is not served yet is still pending.
        for (var day = 1; day <= 10; day++)
            Assert.Equal(day < ledger.Count ? "overdue" : "pending", await world.StatusOfAsync(installments[day - 1]));
        Assert.Equal(
            [from, to],
            await world.ListAsync<string>(
                "SELECT timezone FROM agency_runs WHERE agency_id = $1 GROUP BY timezone ORDER BY min(started_at)",
                agency));
    }

    [Fact]
    public async Task A_cutoff_moved_later_on_the_same_day_moves_the_instant_and_keeps_the_date()
    {
        var agency = await world.AddServedAgencyAsync("2031-06-02T17:00:00Z");
        world.Clock.Now = GrainWorld.At("2031-06-03T12:00:00Z");
        await ChangeAsync(agency, "20:00");
        await world.BringUpToDateAsync(agency);

        world.Clock.Now = GrainWorld.At("2031-06-03T17:00:00Z");
        Assert.Equal(AgencyRunOutcome.NothingUnserved, (await world.BringUpToDateAsync(agency)).Outcome);
        world.Clock.Now = GrainWorld.At("2031-06-03T20:00:00Z");
        var result = await world.BringUpToDateAsync(agency);

        Assert.Equal(GrainWorld.At("2031-06-03T20:00:00Z"), Assert.Single(result.Served).CutoffAt);
        Assert.Equal(["2031-06-02 success 0", "2031-06-03 success 0"], await world.LedgerAsync(agency));
    }

    [Fact]
    public async Task A_cutoff_moved_later_after_it_has_passed_does_not_serve_the_date_again()
    {
        var agency = await world.AddServedAgencyAsync("2031-07-02T17:00:00Z");
        var overdue = await world.AddInstallmentAsync(agency, "2031-07-02", "overdue");
        await ChangeAsync(agency, "20:00");

        world.Clock.Now = GrainWorld.At("2031-07-02T20:00:00Z");
        var result = await world.BringUpToDateAsync(agency);

        Assert.Equal(
            (AgencyRunOutcome.NothingUnserved, GrainWorld.At("2031-07-03T20:00:00Z")), (result.Outcome, result.Next));
        Assert.Equal(["2031-07-02 success 0"], await world.LedgerAsync(agency));
        Assert.Equal("overdue", await world.StatusOfAsync(overdue));
    }

    [Fact]
    public async Task A_cutoff_moved_to_the_past_is_served_at_once_and_late_only_since_the_change()
    {
        var agency = await world.AddServedAgencyAsync("2031-08-02T17:00:00Z");
        world.Clock.Now = GrainWorld.At("2031-08-03T12:00:30Z");
        await ChangeAsync(agency, "09:00");
        await world.ExecuteAsync(
            "UPDATE agency_cutoffs SET settings_changed_at = $2 WHERE agency_id = $1",
            agency, GrainWorld.At("2031-08-03T12:00:00Z"));

        await world.BringUpToDateAsync(agency);

        Assert.Equal(["2031-08-02 success 0", "2031-08-03 success 0"], await world.LedgerAsync(agency));
        Assert.Equal("00:00:30", await world.ReadAsync<string>(
            "SELECT late_by::text FROM agency_runs WHERE agency_id = $1 AND cutoff_date = '2031-08-03'", agency));
    }

    [Fact]
    public async Task A_change_of_the_name_alone_changes_nothing()
    {
        var agency = await world.AddServedAgencyAsync("2031-09-02T17:00:00Z");
        const string Watermark = "SELECT agency_cutoffs::text FROM agency_cutoffs WHERE agency_id = $1";
        var before = await world.ReadAsync<string>(Watermark, agency);

        await world.ExecuteAsync(
            "UPDATE agencies SET name = 'other', timezone = timezone, overdue_cutoff_time = overdue_cutoff_time "
            + "WHERE id = $1",
            agency);

        Assert.Equal(before, await world.ReadAsync<string>(Watermark, agency));
    }

    [Fact]
    public async Task Settings_that_change_while_agencies_are_marked_are_never_stale()
    {
        var agencies = new List<Guid>();
        for (var i = 0; i < 4; i++) agencies.Add(await world.AddServedAgencyAsync("2031-10-01T23:00:00Z"));
        var stop = GrainWorld.At("2031-10-05T23:00:00Z");
        using var stopping = new CancellationTokenSource();

        var changing = ChangeUntilAsync(agencies, stopping.Token);
        for (var now = world.Clock.Now; now <= stop; now += Duration.FromMinutes(45))
        {
            world.Clock.Now = now;
            await Task.WhenAll(agencies.Select(agency => world.BringUpToDateAsync(agency)));
        }

        await stopping.CancelAsync();
        var changes = await changing;
        Assert.True(changes > 10, $"There were only {changes} changes.");
        // Each row's zone, time, date and instant belong together, and so do the watermark's two halves.
        Assert.Equal(0, await world.ReadAsync<long>(
            """
            SELECT count(*) FROM agency_runs
            WHERE agency_id = ANY ($1) AND status = 'success' AND serves_cutoff
              AND cutoff_at <> (cutoff_date + overdue_cutoff_time) AT TIME ZONE timezone
            """, agencies.ToArray()));
        Assert.Equal(0, await world.ReadAsync<long>(
            """
            SELECT count(*) FROM agency_cutoffs c JOIN agencies a ON a.id = c.agency_id
            WHERE c.agency_id = ANY ($1)
              AND c.next_cutoff_at <> (c.next_cutoff_date + a.overdue_cutoff_time) AT TIME ZONE a.timezone
            """, agencies.ToArray()));
        // A change that was under way at the last round may have left the last date or two to the next one.
        foreach (var agency in agencies)
        {
            await world.BringUpToDateAsync(agency);
            Assert.Equal(
                Enumerable.Range(1, 5).Select(day => $"2031-10-0{day} success 0"), await world.LedgerAsync(agency));
        }
    }

    private Task ChangeAsync(Guid agency, string cutoffTime) => world.ExecuteAsync(
        "UPDATE agencies SET overdue_cutoff_time = $2::text::time WHERE id = $1", agency, cutoffTime);

    private async Task<int> ChangeUntilAsync(List<Guid> agencies, CancellationToken stopping)
    {
        var changes = 0;
        for (; !stopping.IsCancellationRequested && changes < 10_000; changes++)
            await ChangeAsync(agencies[changes % agencies.Count], $"{(changes * 7) % 22:00}:15");
        return changes;
    }
}
