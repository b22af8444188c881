using Actors.Grains.Interfaces;
using NodaTime;
using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Grains;

/// <summary>
/// What a run has marked becomes pending again, as far as nobody has touched it since; the next cutoff decides anew.
/// </summary>
public sealed class UndoTests(GrainWorld world) : IClassFixture<GrainWorld>
{
    [Fact]
    public async Task What_is_still_overdue_is_pending_again_and_becomes_overdue_at_the_next_cutoff()
    {
        var (agency, run, marked) = await MarkedAsync("2031-01-10", 3);

        var result = await UndoAsync(agency, run);

        Assert.Equal((UndoOutcome.Undone, 3, 0), (result.Outcome, result.Restored, result.LeftOutCount));
        Assert.Equal(world.Clock.Now, result.At);
        foreach (var installment in marked) Assert.Equal("pending", await world.StatusOfAsync(installment));
        // The ledger tells what the run did, and goes on doing so.
        Assert.Equal("2031-01-10 success 3", (await world.LedgerAsync(agency))[^1]);
        Assert.Equal(AgencyRunOutcome.NothingUnserved, (await world.BringUpToDateAsync(agency)).Outcome);

        world.Clock.Now = GrainWorld.At("2031-01-11T17:00:00Z");
        Assert.Equal(3, (await world.BringUpToDateAsync(agency)).RecordsUpdated);
        Assert.Equal("2031-01-11 success 3", (await world.LedgerAsync(agency))[^1]);
    }

    [Fact]
    public async Task An_undo_is_recorded_with_who_why_what_was_restored_and_what_was_left_out()
    {
        var (agency, run, marked) = await MarkedAsync("2031-01-20", 5);
        await SetAsync(marked[0], "paid");
        await SetAsync(marked[1], "cancelled");
        await world.ExecuteAsync("DELETE FROM installments WHERE id = $1", marked[2]);

        var result = await UndoAsync(agency, run);

        Assert.Equal((UndoOutcome.Undone, 2, 3), (result.Outcome, result.Restored, result.LeftOutCount));
        Assert.Equal(
            new Dictionary<Guid, LeftOutReason>
            {
                [marked[0]] = LeftOutReason.Paid,
                [marked[1]] = LeftOutReason.Changed,
                [marked[2]] = LeftOutReason.Deleted,
            },
            result.LeftOut.ToDictionary(left => left.Installment, left => left.Why));
        Assert.Equal("paid cancelled pending pending", string.Join(' ', await world.ListAsync<string>(
            "SELECT status FROM installments WHERE id = ANY ($1) ORDER BY array_position($1, id)", marked.ToArray())));
        Assert.Equal(marked[3..].Order(), (await world.ReadAsync<Guid[]>(
            "SELECT restored_ids FROM agency_run_undos WHERE agency_run_id = $1", run)).Order());
        Assert.Equal("Ada wrong file changed,deleted,paid", await world.ReadAsync<string>(
            """
            SELECT concat_ws(' ', undone_by, reason, (
              SELECT string_agg(l ->> 'why', ',' ORDER BY l ->> 'why') FROM jsonb_array_elements(left_out) AS l))
            FROM agency_run_undos WHERE agency_run_id = $1 AND agency_id = $2
            """, run, agency));
        Assert.Equal(
            $$"""run_undone Ada wrong file {"left_out": 3, "restored": 2, "agency_run_id": "{{run}}"}""",
            (await world.ChangesAsync(agency))[^1]);
    }

    [Fact]
    public async Task A_run_is_undone_once_and_who_asks_again_gets_the_same_answer()
    {
        var (agency, run, marked) = await MarkedAsync("2031-02-10", 2);
        await SetAsync(marked[0], "paid");
        var first = await UndoAsync(agency, run);
        world.Clock.Now += Duration.FromHours(1);
        await SetAsync(marked[1], "overdue");

        var again = await UndoAsync(agency, run);

        Assert.Equal(first with { Outcome = UndoOutcome.AlreadyUndone, LeftOut = again.LeftOut }, again);
        Assert.Equal(first.LeftOut, again.LeftOut);
        Assert.Equal("overdue", await world.StatusOfAsync(marked[1]));
        Assert.Single(
            await world.ChangesAsync(agency), change => change.StartsWith("run_undone", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_a_later_run_has_marked_again_stays_until_that_run_is_undone()
    {
        var (agency, first, marked) = await MarkedAsync("2031-02-20", 2);
        await SetAsync(marked[0], "pending");
        world.Clock.Now += Duration.FromMinutes(1);
        Assert.Equal(1, (await world.BringUpToDateAsync(agency, RunTrigger.Api)).RecordsUpdated);
        var second = await NewestRunAsync(agency);

        var undone = await UndoAsync(agency, first);

        Assert.Equal(1, undone.Restored);
        Assert.Equal([new LeftOutInstallment(marked[0], LeftOutReason.HeldByLaterRun)], undone.LeftOut);
        Assert.Equal("overdue", await world.StatusOfAsync(marked[0]));
        Assert.Equal(1, (await UndoAsync(agency, second)).Restored);
        Assert.Equal("pending", await world.StatusOfAsync(marked[0]));
    }

    [Fact]
    public async Task What_the_undo_of_a_later_run_left_out_is_still_held_by_that_run()
    {
        var (agency, first, marked) = await MarkedAsync("2031-02-24", 2);
        await SetAsync(marked[0], "pending");
        await SetAsync(marked[1], "pending");
        world.Clock.Now += Duration.FromMinutes(1);
        await world.BringUpToDateAsync(agency, RunTrigger.Api);
        await SetAsync(marked[0], "paid");
        Assert.Equal(1, (await UndoAsync(agency, await NewestRunAsync(agency))).Restored);
        // The payment bounces, and what is restored is overdue by the application's own word.
        await SetAsync(marked[0], "overdue");
        await SetAsync(marked[1], "overdue");

        var undone = await UndoAsync(agency, first);

        Assert.Equal(1, undone.Restored);
        Assert.Equal([new LeftOutInstallment(marked[0], LeftOutReason.HeldByLaterRun)], undone.LeftOut);
    }

    [Fact]
    public async Task What_only_an_undone_run_holds_is_free_again()
    {
        var (agency, first, marked) = await MarkedAsync("2031-03-10", 1);
        await SetAsync(marked[0], "pending");
        world.Clock.Now += Duration.FromMinutes(1);
        await world.BringUpToDateAsync(agency, RunTrigger.Api);
        Assert.Equal(1, (await UndoAsync(agency, await NewestRunAsync(agency))).Restored);
        // The application itself says that it is overdue: that is no run's word.
        await SetAsync(marked[0], "overdue");

        Assert.Equal((UndoOutcome.Undone, 1), await OutcomeAsync(agency, first));
    }

    [Fact]
    public async Task An_installment_whose_plan_went_to_another_agency_is_left_to_that_agency()
    {
        var (agency, run, marked) = await MarkedAsync("2031-03-20", 1);
        var other = await world.AddServedAgencyAsync("2031-03-20T17:00:00Z");
        await world.ExecuteAsync(
            """
            UPDATE payment_plans SET agency_id = $2
            WHERE id = (SELECT payment_plan_id FROM installments WHERE id = $1)
            """, marked[0], other);

        var result = await UndoAsync(agency, run);

        Assert.Equal(UndoOutcome.NothingToUndo, result.Outcome);
        Assert.Equal([new LeftOutInstallment(marked[0], LeftOutReason.Changed)], result.LeftOut);
    }

    [Fact]
    public async Task Where_nothing_can_be_restored_nothing_is_recorded_and_it_may_be_asked_again()
    {
        var (agency, run, marked) = await MarkedAsync("2031-04-10", 1);
        await SetAsync(marked[0], "paid");

        var nothing = await UndoAsync(agency, run);

        Assert.Equal((UndoOutcome.NothingToUndo, 0, null), (nothing.Outcome, nothing.Restored, nothing.At));
        Assert.Equal([new LeftOutInstallment(marked[0], LeftOutReason.Paid)], nothing.LeftOut);
        await SetAsync(marked[0], "overdue");
        Assert.Equal((UndoOutcome.Undone, 1), await OutcomeAsync(agency, run));
    }

    [Fact]
    public async Task Runs_that_marked_nothing_failed_or_were_skipped_have_nothing_to_undo()
    {
        var agency = await world.AddServedAgencyAsync("2031-05-10T17:00:00Z");
        await world.Grain(agency).PauseAsync("Ada", "any");
        world.Clock.Now = GrainWorld.At("2031-05-11T18:00:00Z");
        await world.Grain(agency).ResumeAsync("Ada", "any", ResumeMode.Skip);
        await world.MoveAsync(agency, "Mars/Olympus");
        world.Clock.Now = GrainWorld.At("2031-05-12T18:00:00Z");
        await world.BringUpToDateAsync(agency);
        var runs = await world.ListAsync<Guid>("SELECT id FROM agency_runs WHERE agency_id = $1", agency);
        Assert.Equal(3, runs.Count);

        foreach (var run in runs) Assert.Equal((UndoOutcome.NothingToUndo, 0), await OutcomeAsync(agency, run));
    }

    [Fact]
    public async Task A_run_of_another_agency_is_not_found_and_one_of_a_deleted_agency_has_nothing_left()
    {
        var (agency, run, _) = await MarkedAsync("2031-05-20", 2);
        var other = await world.AddServedAgencyAsync("2031-05-20T17:00:00Z");

        Assert.Equal((UndoOutcome.NotFound, 0), await OutcomeAsync(other, run));
        Assert.Equal((UndoOutcome.NotFound, 0), await OutcomeAsync(agency, Guid.NewGuid()));
        await world.ExecuteAsync("DELETE FROM agencies WHERE id = $1", agency);
        var result = await UndoAsync(agency, run);
        Assert.Equal((UndoOutcome.NothingToUndo, 2), (result.Outcome, result.LeftOutCount));
        Assert.All(result.LeftOut, left => Assert.Equal(LeftOutReason.Deleted, left.Why));
    }

    [Fact]
    public async Task A_payment_that_is_under_way_is_not_waited_for_and_the_answer_names_what_it_holds()
    {
        var (agency, run, marked) = await MarkedAsync("2031-06-10", 3);
        await using var payer = await world.Owner.OpenConnectionAsync();
        await using (var payment = await payer.BeginTransactionAsync())
        {
            await using var pay = new NpgsqlCommand(
                $"UPDATE installments SET status = 'paid' WHERE id = '{marked[1]}'", payer);
            await pay.ExecuteNonQueryAsync();

            var busy = await UndoAsync(agency, run);

            Assert.Equal((UndoOutcome.Busy, 0), (busy.Outcome, busy.Restored));
            Assert.Equal([new LeftOutInstallment(marked[1], LeftOutReason.Locked)], busy.LeftOut);
            Assert.Equal("overdue", await world.StatusOfAsync(marked[0]));
            await payment.CommitAsync();
        }

        var result = await UndoAsync(agency, run);
        Assert.Equal((UndoOutcome.Undone, 2), (result.Outcome, result.Restored));
        Assert.Equal("paid", await world.StatusOfAsync(marked[1]));
    }

    [Fact]
    public async Task An_agency_that_somebody_holds_is_busy()
    {
        var (agency, run, marked) = await MarkedAsync("2031-06-20", 1);
        await using var hold = await HeldLock.OnAgencyAsync(world.Owner, agency);

        Assert.Equal((UndoOutcome.Busy, 0), await OutcomeAsync(agency, run));
        Assert.Equal("overdue", await world.StatusOfAsync(marked[0]));
    }

    [Fact]
    public async Task Where_the_application_refuses_the_change_nothing_is_changed_and_the_answer_says_why()
    {
        var (agency, run, marked) = await MarkedAsync("2031-07-10", 2);
        await world.ExecuteAsync(
            $"""
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'the books are closed'; END $$;
            CREATE TRIGGER refuse BEFORE UPDATE ON installments FOR EACH ROW WHEN (OLD.id = '{marked[1]}')
              EXECUTE FUNCTION refuse()
            """);

        var result = await UndoAsync(agency, run);

        await world.ExecuteAsync("DROP FUNCTION refuse() CASCADE");
        Assert.Equal((UndoOutcome.Failed, "the books are closed (P0001)"), (result.Outcome, result.Error));
        foreach (var installment in marked) Assert.Equal("overdue", await world.StatusOfAsync(installment));
        Assert.Equal((UndoOutcome.Undone, 2), await OutcomeAsync(agency, run));
    }

    [Fact]
    public async Task A_large_run_is_undone_at_once_and_its_answer_lists_the_first_thousand_left_out()
    {
        var agency = await world.AddServedAgencyAsync("2031-08-09T17:00:00Z");
        await world.ExecuteAsync(
            """
            WITH plan AS (INSERT INTO payment_plans (agency_id) VALUES ($1) RETURNING id)
            INSERT INTO installments (payment_plan_id, student_due_date)
            SELECT id, '2031-08-10' FROM plan, generate_series(1, 20000)
            """, agency);
        world.Clock.Now = GrainWorld.At("2031-08-10T17:00:00Z");
        Assert.Equal(20_000, (await world.BringUpToDateAsync(agency)).RecordsUpdated);
        await world.ExecuteAsync(
            """
            UPDATE installments SET status = 'paid'
            WHERE payment_plan_id IN (SELECT id FROM payment_plans WHERE agency_id = $1)
              AND id < '40000000-0000-0000-0000-000000000000'
            """, agency);
        var paid = await world.ReadAsync<int>(
            "SELECT count(*)::integer FROM installments WHERE status = 'paid' AND payment_plan_id IN "
            + "(SELECT id FROM payment_plans WHERE agency_id = $1)", agency);

        var result = await UndoAsync(agency, await NewestRunAsync(agency));

        Assert.Equal((20_000 - paid, paid), (result.Restored, result.LeftOutCount));
        Assert.Equal(UndoResult.LeftOutAtMost, result.LeftOut.Count);
        Assert.Equal(
            result.LeftOut.Select(left => left.Installment.ToString()).Order(StringComparer.Ordinal),
            result.LeftOut.Select(left => left.Installment.ToString()));
        Assert.Equal(paid, await world.ReadAsync<int>(
            "SELECT jsonb_array_length(left_out) FROM agency_run_undos WHERE agency_id = $1", agency));
    }

    /// <summary>An agency whose newest run has marked some installments, each under a plan of its own.</summary>
    private async Task<(Guid Agency, Guid Run, List<Guid> Marked)> MarkedAsync(string date, int installments)
    {
        var agency = await world.AddServedAgencyAsync($"{date}T16:59:00Z");
        var marked = new List<Guid>();
        for (var i = 0; i < installments; i++) marked.Add(await world.AddInstallmentAsync(agency, date));
        world.Clock.Now = GrainWorld.At($"{date}T17:00:00Z");
        Assert.Equal(installments, (await world.BringUpToDateAsync(agency)).RecordsUpdated);
        return (agency, await NewestRunAsync(agency), marked);
    }

    private Task<Guid> NewestRunAsync(Guid agency) => world.ReadAsync<Guid>(
        "SELECT id FROM agency_runs WHERE agency_id = $1 ORDER BY completed_at DESC LIMIT 1", agency);

    private Task<UndoResult> UndoAsync(Guid agency, Guid run) =>
        world.Grain(agency).UndoRunAsync(run, "Ada", "wrong file");

    private async Task<(UndoOutcome Outcome, int Restored)> OutcomeAsync(Guid agency, Guid run) =>
        await UndoAsync(agency, run) is var result ? (result.Outcome, result.Restored) : default;

    private Task SetAsync(Guid installment, string status) =>
        world.ExecuteAsync($"UPDATE installments SET status = '{status}' WHERE id = $1", installment);
}
