using Actors.Grains.Interfaces;
using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Grains;

/// <summary>Payments and applications hold rows while a cutoff passes.</summary>
public sealed class LockedRowTests(PausingWorld world) : IClassFixture<PausingWorld>
{
    [Theory]
    [InlineData("2031-02-04", true, "paid", 0)]
    [InlineData("2031-02-06", false, "overdue", 1)]
    public async Task A_payment_that_commits_first_wins(string day, bool commits, string status, int marked)
    {
        var pauses = world.Pauses.Anew();
        var agency = await world.AddServedAgencyAsync($"{day}T16:59:59Z");
        var installment = await world.AddInstallmentAsync(agency, day);
        await using var payment = await Payment.BeginAsync(world.Owner, installment);
        world.Clock.Now = GrainWorld.At($"{day}T17:00:00Z");

        var run = world.BringUpToDateAsync(agency);
        Assert.Equal(TimeSpan.FromSeconds(1), await pauses.NextAsync());
        Assert.Single(await world.LedgerAsync(agency));
        await payment.EndAsync(commits);
        pauses.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(marked, (await run).RecordsUpdated);
        Assert.Equal(status, await world.StatusOfAsync(installment));
        Assert.Equal($"{day} success {marked}", (await world.LedgerAsync(agency))[^1]);
    }

    [Fact]
    public async Task An_agency_with_a_locked_row_is_left_out_and_its_batch_mates_are_committed_meanwhile()
    {
        var pauses = world.Pauses.Anew();
        var mates = new List<(Guid Agency, Guid Installment)>();
        for (var i = 0; i < 5; i++)
        {
            var mate = await world.AddServedAgencyAsync("2031-04-04T16:59:59Z");
            mates.Add((mate, await world.AddInstallmentAsync(mate, "2031-04-04")));
        }

        var (busy, held) = mates[2];
        await using var payment = await Payment.BeginAsync(world.Owner, held);
        world.Clock.Now = GrainWorld.At("2031-04-04T17:00:00Z");

        var runs = mates.ToDictionary(mate => mate.Agency, mate => world.BringUpToDateAsync(mate.Agency));
        foreach (var (agency, installment) in mates.Where(mate => mate.Agency != busy))
        {
            Assert.Equal(1, (await runs[agency]).RecordsUpdated);
            Assert.Equal("overdue", await world.StatusOfAsync(installment));
        }

        Assert.Equal(TimeSpan.FromSeconds(1), await pauses.NextAsync());
        Assert.Equal(["2031-04-03 success 0"], await world.LedgerAsync(busy));
        Assert.False(runs[busy].IsCompleted);
        await payment.EndAsync(commits: false);
        pauses.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(1, (await runs[busy]).RecordsUpdated);
        Assert.Equal(["2031-04-03 success 0", "2031-04-04 success 1"], await world.LedgerAsync(busy));
    }

    [Fact]
    public async Task A_row_that_stays_locked_is_tried_after_1_2_and_4_seconds_and_then_recorded_as_failed()
    {
        var pauses = world.Pauses.Anew();
        var agency = await world.AddServedAgencyAsync("2031-05-05T16:59:59Z");
        await using var payment = await Payment.BeginAsync(
            world.Owner, await world.AddInstallmentAsync(agency, "2031-05-05"));
        world.Clock.Now = GrainWorld.At("2031-05-05T17:00:00Z");

        var run = world.BringUpToDateAsync(agency);
        List<TimeSpan> paused = [await pauses.PassAsync(), await pauses.PassAsync(), await pauses.PassAsync()];
        var result = await run;

        Assert.Equal([TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(4)], paused);
        Assert.Equal(AgencyRunOutcome.Failed, result.Outcome);
        Assert.Equal($"installments of agency {agency} are locked by another transaction", result.Error);
        Assert.Equal("2031-05-05 failed 0", (await world.LedgerAsync(agency))[^1]);
        Assert.Equal(1, await world.OpenAlertsAsync($"agency_failed:{agency}"));
    }

    [Fact]
    public async Task A_new_agency_that_has_failed_and_is_then_left_out_for_a_lock_is_served_when_it_is_free()
    {
        var pauses = world.Pauses.Anew();
        world.Clock.Now = GrainWorld.At("2031-05-20T12:00:00Z");
        var agency = await world.AddAgencyAsync("Mars/Olympus");
        var installment = await world.AddInstallmentAsync(agency, "2031-05-18");
        await world.BringUpToDateAsync(agency, RunTrigger.CatchUp);
        await world.MoveAsync(agency, "UTC");
        await using var payment = await Payment.BeginAsync(world.Owner, installment);

        var run = world.BringUpToDateAsync(agency, RunTrigger.CatchUp);
        for (var pause = 0; pause < 3; pause++) await pauses.PassAsync();

        Assert.Equal(AgencyRunOutcome.Failed, (await run).Outcome);
        Assert.Equal(["without a date: failed"], await RowsAsync(agency));
        Assert.Equal(1, await world.OpenAlertsAsync($"agency_failed:{agency}"));

        await payment.EndAsync(commits: false);
        await world.BringUpToDateAsync(agency, RunTrigger.CatchUp);

        Assert.Equal(["2031-05-19: success"], await RowsAsync(agency));
        Assert.Equal("overdue", await world.StatusOfAsync(installment));
        Assert.Equal(0, await world.OpenAlertsAsync($"agency_failed:{agency}"));
    }

    [Fact]
    public async Task What_will_fail_again_is_not_tried_again()
    {
        var pauses = world.Pauses.Anew();
        var agency = await world.AddServedAgencyAsync("2031-06-05T16:59:59Z");
        await world.MoveAsync(agency, "Mars/Olympus");

        var result = await world.BringUpToDateAsync(agency);

        Assert.Equal(AgencyRunOutcome.Failed, result.Outcome);
        Assert.Contains("timezone 'Mars/Olympus' is unknown to TZDB", result.Error, StringComparison.Ordinal);
        Assert.False(pauses.AnyBegun);
    }

    [Fact]
    public async Task Settings_that_somebody_is_changing_are_waited_for_and_never_read_stale()
    {
        var pauses = world.Pauses.Anew();
        var agency = await world.AddServedAgencyAsync("2031-07-05T16:59:59Z");
        await using var connection = await world.Owner.OpenConnectionAsync();
        await using var change = await connection.BeginTransactionAsync();
        await using var command = new NpgsqlCommand(
            "UPDATE agencies SET overdue_cutoff_time = '18:00' WHERE id = $1", connection, change);
        command.Parameters.Add(new() { Value = agency });
        await command.ExecuteNonQueryAsync();
        world.Clock.Now = GrainWorld.At("2031-07-05T17:00:00Z");

        var run = world.BringUpToDateAsync(agency);
        await pauses.NextAsync();
        await change.CommitAsync();
        pauses.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(AgencyRunOutcome.NothingUnserved, (await run).Outcome);
        Assert.Equal(GrainWorld.At("2031-07-05T18:00:00Z"), (await run).Next);
        Assert.Equal(["2031-07-04 success 0"], await world.LedgerAsync(agency));
    }

    private Task<string[]> RowsAsync(Guid agency) => world.ReadAsync<string[]>(
        """
        SELECT array_agg(coalesce(cutoff_date::text, 'without a date') || ': ' || status ORDER BY cutoff_date)
        FROM agency_runs WHERE agency_id = $1
        """, agency);

    /// <summary>A transaction that has set an installment to paid and not ended yet.</summary>
    private sealed class Payment(NpgsqlConnection connection, NpgsqlTransaction transaction) : IAsyncDisposable
    {
        public static async Task<Payment> BeginAsync(NpgsqlDataSource source, Guid installment)
        {
            var connection = await source.OpenConnectionAsync();
            var transaction = await connection.BeginTransactionAsync();
            await using var pay = new NpgsqlCommand(
                "UPDATE installments SET status = 'paid' WHERE id = $1", connection, transaction);
            pay.Parameters.Add(new() { Value = installment });
            await pay.ExecuteNonQueryAsync();
            return new Payment(connection, transaction);
        }

        public Task EndAsync(bool commits) => commits ? transaction.CommitAsync() : transaction.RollbackAsync();

        public async ValueTask DisposeAsync()
        {
            await transaction.DisposeAsync();
            await connection.DisposeAsync();
        }
    }
}
