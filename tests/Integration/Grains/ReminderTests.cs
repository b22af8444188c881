using Actors.Tests.Support;
using NodaTime;
using Xunit;

namespace Actors.Tests.Integration.Grains;

/// <summary>
/// The alarm clock of an agency. Its ticks are given to the grain as Orleans gives them; the last test lets Orleans.
/// </summary>
public sealed class ReminderTests(GrainWorld world) : IClassFixture<GrainWorld>
{
    private static readonly Duration Day = Duration.FromDays(1);

    [Fact]
    public async Task A_new_agency_is_armed_for_its_next_cutoff_with_a_period_of_a_day()
    {
        var agency = await world.AddServedAgencyAsync("2031-02-10T12:00:00Z", "Asia/Tokyo");

        Assert.Equal(GrainWorld.At("2031-02-11T08:00:00Z"), await world.ArmedForAsync(agency));
        Assert.Equal(
            86_400_000,
            await world.ReadAsync<long>("SELECT period FROM orleans.reminders WHERE grain_id = $1", Key(agency)));
    }

    [Fact]
    public async Task On_most_days_no_reminder_is_written_even_when_the_tick_is_delivered_late()
    {
        var agency = await world.AddServedAgencyAsync("2031-03-10T12:00:00Z");
        var written = await VersionAsync(agency);
        var cutoff = GrainWorld.At("2031-03-10T17:00:00Z");

        for (var day = 0; day < 3; day++)
        {
            world.Clock.Now = cutoff + (Day * day) + Duration.FromSeconds(4);
            await world.TickAsync(agency, first: cutoff);
        }

        Assert.Equal(4, (await world.LedgerAsync(agency)).Count);
        Assert.Equal(written, await VersionAsync(agency));
    }

    [Fact]
    public async Task A_clock_change_arms_the_reminder_anew()
    {
        var agency = await world.AddServedAgencyAsync("2031-03-29T12:00:00Z", "Europe/London");
        var written = await VersionAsync(agency);
        var first = GrainWorld.At("2031-03-29T17:00:00Z");
        world.Clock.Now = first;

        await world.TickAsync(agency, first);

        Assert.NotEqual(written, await VersionAsync(agency));
        Assert.Equal(GrainWorld.At("2031-03-30T16:00:00Z"), await world.ArmedForAsync(agency));
    }

    [Fact]
    public async Task A_tick_that_comes_3_seconds_early_waits_for_its_cutoff()
    {
        var pauses = world.Pauses.Anew();
        var agency = await world.AddServedAgencyAsync("2031-04-10T12:00:00Z");
        var installment = await world.AddInstallmentAsync(agency, "2031-04-10");
        var cutoff = GrainWorld.At("2031-04-10T17:00:00Z");
        world.Clock.Now = cutoff - Duration.FromSeconds(3);

        var tick = world.TickAsync(agency, first: cutoff);
        Assert.Equal(TimeSpan.FromSeconds(3), await pauses.NextAsync());
        Assert.Equal("pending", await world.StatusOfAsync(installment));
        world.Clock.Now = cutoff;
        pauses.Advance(TimeSpan.FromSeconds(3));
        await tick;

        Assert.Equal("overdue", await world.StatusOfAsync(installment));
        Assert.Equal("00:00:00 reminder", await world.ReadAsync<string>(
            "SELECT late_by || ' ' || trigger FROM agency_runs WHERE agency_id = $1 AND cutoff_date = '2031-04-10'",
            agency));
    }

    [Fact]
    public async Task A_tick_that_comes_a_minute_early_marks_nothing_and_is_armed_for_the_cutoff()
    {
        var agency = await world.AddServedAgencyAsync("2031-05-10T12:00:00Z");
        var cutoff = GrainWorld.At("2031-05-10T17:00:00Z");
        world.Clock.Now = cutoff - Duration.FromMinutes(1);

        await world.TickAsync(agency, first: world.Clock.Now);

        Assert.Equal(["2031-05-09 success 0"], await world.LedgerAsync(agency));
        Assert.Equal(cutoff, await world.ArmedForAsync(agency));
    }

    [Fact]
    public async Task A_tick_of_a_silo_whose_clock_is_10_minutes_ahead_marks_nothing_and_comes_again_in_time()
    {
        var agency = await world.AddServedAgencyAsync("2031-05-20T12:00:00Z");
        var cutoff = GrainWorld.At("2031-05-20T17:00:00Z");
        world.Clock.Now = cutoff - Duration.FromMinutes(10);

        // By the silo's clock the cutoff is there, on the reminder's own grid.
        await world.TickAsync(agency, first: cutoff);

        Assert.Equal(["2031-05-19 success 0"], await world.LedgerAsync(agency));
        Assert.Equal(cutoff, await world.ArmedForAsync(agency));
    }

    [Fact]
    public async Task A_tick_that_comes_twice_is_harmless()
    {
        var agency = await world.AddServedAgencyAsync("2031-06-10T12:00:00Z");
        await world.AddInstallmentAsync(agency, "2031-06-10");
        var cutoff = GrainWorld.At("2031-06-10T17:00:00Z");
        world.Clock.Now = cutoff;

        await Task.WhenAll(world.TickAsync(agency, cutoff), world.TickAsync(agency, cutoff));

        Assert.Equal(["2031-06-09 success 0", "2031-06-10 success 1"], await world.LedgerAsync(agency));
        Assert.Equal(2, await world.ReadAsync<long>("SELECT count(*) FROM agency_runs WHERE agency_id = $1", agency));
    }

    [Fact]
    public async Task The_reminder_of_a_deleted_agency_is_gone_with_its_next_tick()
    {
        var agency = await world.AddServedAgencyAsync("2031-07-10T12:00:00Z");
        await world.ExecuteAsync("DELETE FROM agencies WHERE id = $1", agency);

        await world.TickAsync(agency, first: world.Clock.Now);

        Assert.Empty(await world.ListAsync<int>(
            "SELECT version FROM orleans.reminders WHERE grain_id = $1", Key(agency)));
    }

    [Fact]
    public async Task Orleans_own_tick_marks_at_the_cutoff()
    {
        var agency = await world.AddServedAgencyAsync("2031-08-10T16:56:00Z");
        var installment = await world.AddInstallmentAsync(agency, "2031-08-10");
        world.Clock.Now = GrainWorld.At("2031-08-10T17:00:00Z");

        world.Reminders.Advance(TimeSpan.FromMinutes(4));

        await Eventually.HoldsAsync("the installment became overdue", async () =>
            await world.StatusOfAsync(installment) == "overdue");
        Assert.Equal("reminder", await world.ReadAsync<string>(
            "SELECT trigger FROM agency_runs WHERE agency_id = $1 AND cutoff_date = '2031-08-10'", agency));
    }

    private static string Key(Guid agency) => $"agency/{agency:N}";

    private Task<int> VersionAsync(Guid agency) =>
        world.ReadAsync<int>("SELECT version FROM orleans.reminders WHERE grain_id = $1", Key(agency));
}
