using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Rule;

/// <summary>What the rule in SQL does with agencies that cannot be served, and with rows that others hold.</summary>
public sealed class FailureTests
{
    [Fact]
    public async Task A_payment_that_commits_first_wins()
    {
        await using var database = await RuleDatabase.CreateAsync();
        var agency = await database.AddAgencyAsync(1);
        var due = await database.AddDueAsync(agency, "2026-05-31", "2026-06-01");
        await using var payer = await database.Owner.OpenConnectionAsync();
        await using var payment = await payer.BeginTransactionAsync();
        await PayAsync(payer, due[0]);

        var run = database.ServeAsync("2026-06-01 17:00Z");
        await database.UntilSomebodyWaitsForALockAsync();
        await payment.CommitAsync();

        Assert.Equal(["1: 1"], await run);
        Assert.Equal(
            ["paid", "overdue"],
            await database.LinesAsync("SELECT status FROM installments ORDER BY student_due_date"));
        Assert.Equal(["06-01 06-01T17:00:00 serves success 1 postgresql"], await database.LedgerAsync(agency));
    }

    [Fact]
    public async Task An_agency_of_which_somebody_holds_a_row_for_long_fails_alone_and_the_next_run_serves_it()
    {
        await using var database = await RuleDatabase.CreateAsync();
        await database.ExecuteAsync(
            "ALTER FUNCTION serve_cutoffs_in_sql(timestamptz, boolean) SET lock_timeout = '50ms'");
        var due = await database.AddDueAsync(await database.AddAgencyAsync(1), "2026-06-01");
        await database.AddDueAsync(await database.AddAgencyAsync(2), "2026-06-01");
        await using (var payer = await database.Owner.OpenConnectionAsync())
        await using (var payment = await payer.BeginTransactionAsync())
        {
            await PayAsync(payer, due[0]);
            Assert.Equal(["2: 1"], await database.ServeAsync("2026-06-01 17:00Z"));
        }

        Assert.Equal(
            "canceling statement due to lock timeout",
            await database.AskAsync<string>("SELECT last_error FROM agency_cutoffs WHERE last_error IS NOT NULL"));
        Assert.Equal(["1: 1"], await database.ServeAsync("2026-06-01 17:00:30Z"));
    }

    [Theory]
    [InlineData("RAISE EXCEPTION 'refused' USING ERRCODE = 'query_canceled'", "refused")]
    [InlineData("ASSERT false, 'refused'", "refused")]
    [InlineData("RAISE EXCEPTION 'refused'", "refused")]
    public async Task A_trigger_that_refuses_one_agency_by_any_error_holds_up_no_other(string refusal, string error)
    {
        await using var database = await RuleDatabase.CreateAsync();
        foreach (var number in new[] { 1, 2, 3 })
            await database.AddDueAsync(await database.AddAgencyAsync(number), "2026-06-01");
        await RefuseAsync(database, RuleDatabase.Id(2), refusal);

        Assert.Equal(["1: 1", "3: 1"], await database.ServeAsync("2026-06-01 17:00Z"));

        Assert.Equal([error], await database.LinesAsync("SELECT last_error FROM agency_cutoffs WHERE agency_id = $1",
            RuleDatabase.Id(2)));
    }

    [Fact]
    public async Task A_statement_that_is_cancelled_ends_for_all_and_leaves_nothing()
    {
        await using var database = await RuleDatabase.CreateAsync();
        foreach (var number in new[] { 1, 2 })
            await database.AddDueAsync(await database.AddAgencyAsync(number), "2026-06-01");
        await RefuseAsync(
            database, RuleDatabase.Id(2), "PERFORM pg_cancel_backend(pg_backend_pid()); PERFORM pg_sleep(10)");

        var cancelled = await Assert.ThrowsAsync<PostgresException>(() => database.ServeAsync("2026-06-01 17:00Z"));

        Assert.Equal(PostgresErrorCodes.QueryCanceled, cancelled.SqlState);
        Assert.Equal(["pending", "pending"], await database.LinesAsync("SELECT status FROM installments"));
        Assert.Empty(await database.LinesAsync("SELECT job_name FROM jobs_log"));
    }

    private static Task RefuseAsync(RuleDatabase database, Guid agency, string statement) => database.ExecuteAsync(
        $"""
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF EXISTS (SELECT FROM payment_plans WHERE id = NEW.payment_plan_id AND agency_id = '{agency}') THEN
            {statement};
          END IF;
          RETURN NEW;
        END $$;
        CREATE TRIGGER refuse BEFORE UPDATE ON installments FOR EACH ROW EXECUTE FUNCTION refuse();
        """);

    [Fact]
    public async Task An_agency_that_somebody_else_is_serving_is_left_to_him_without_a_word()
    {
        await using var database = await RuleDatabase.CreateAsync();
        await database.ExecuteAsync(
            "ALTER FUNCTION serve_cutoffs_in_sql(timestamptz, boolean) SET lock_timeout = '50ms'");
        var agency = await database.AddAgencyAsync(1);
        await database.AddAgencyAsync(2);
        await using var silo = await database.Owner.OpenConnectionAsync();
        await using var transaction = await silo.BeginTransactionAsync();
        await using var hold = new NpgsqlCommand(
            "SELECT FROM agency_cutoffs WHERE agency_id = $1 FOR NO KEY UPDATE", silo)
        {
            Parameters = { new() { Value = agency } },
        };
        await hold.ExecuteNonQueryAsync();

        Assert.Equal(["2: 0"], await database.ServeAsync("2026-06-01 17:00Z"));

        Assert.Empty(await database.LedgerAsync(agency));
        Assert.Equal(0, await database.AskAsync<long>("SELECT count(*) FROM alerts"));
    }

    [Fact]
    public async Task A_failed_date_keeps_its_row_which_the_run_that_succeeds_takes_over()
    {
        await using var database = await RuleDatabase.CreateAsync();
        var agency = await database.AddAgencyAsync(1);
        await database.ServedAsync(agency, "2026-05-31", "2026-05-31 17:00Z");
        await SetZoneAsync(database, agency, "Mars/Olympus_Mons");
        await database.AddDueAsync(agency, "2026-06-01");

        Assert.Empty(await database.ServeAsync("2026-06-01 17:00Z"));
        Assert.Empty(await database.ServeAsync("2026-06-01 17:00:29Z"));
        Assert.Empty(await database.ServeAsync("2026-06-01 17:00:30Z"));
        Assert.Equal(["06-01 no instant serves failed 0 postgresql"], await database.LedgerAsync(agency));
        Assert.Equal(2, await database.AskAsync<int>("SELECT failed_attempts FROM agency_cutoffs"));
        Assert.Equal(2, await database.AskAsync<long>("SELECT count(*) FROM jobs_log WHERE status = 'failed'"));

        await SetZoneAsync(database, agency, "UTC");
        Assert.Equal(["1: 1"], await database.ServeAsync("2026-06-01 17:00:31Z"));
        Assert.Equal(
            ["06-01 06-01T17:00:00 serves success 1 late 00:00:31 postgresql"],
            await database.LedgerAsync(agency));
        Assert.Equal(
            "0 t t 0",
            await database.AskAsync<string>(
                """
                SELECT concat_ws(' ', failed_attempts, last_error IS NULL, set_aside_until IS NULL,
                  (SELECT count(*) FROM alerts WHERE kind = 'agency_failed' AND resolved_at IS NULL))
                FROM agency_cutoffs
                """));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_agency_that_failed_is_well_again_once_it_is_found_up_to_date(bool asked)
    {
        await using var database = await RuleDatabase.CreateAsync();
        var agency = await database.AddAgencyAsync(1);
        await database.ServedAsync(agency, "2026-06-01", "2026-06-01 17:00Z");
        await database.ExecuteAsync(
            """
            SELECT note_agency_failure(
              $1, gen_random_uuid(), '2026-06-01 18:00Z', 'api', NULL, NULL, 'x', '1', '30 s')
            """,
            agency);

        Assert.Equal(asked ? ["1: 0"] : [], await database.ServeAsync("2026-06-01 18:01Z", asked));

        Assert.Equal(
            "0 t t t",
            await database.AskAsync<string>(
                """
                SELECT concat_ws(' ', failed_attempts, last_error IS NULL, set_aside_until IS NULL,
                  (SELECT resolved_at = '2026-06-01 18:01Z' FROM alerts WHERE kind = 'agency_failed'))
                FROM agency_cutoffs
                """));
    }

    [Fact]
    public async Task An_agency_that_is_set_aside_is_left_alone_until_then_unless_somebody_asks()
    {
        await using var database = await RuleDatabase.CreateAsync();
        await database.AddAgencyAsync(1);
        await database.ExecuteAsync("UPDATE agency_cutoffs SET set_aside_until = '2026-06-01 18:00Z'");

        Assert.Empty(await database.ServeAsync("2026-06-01 17:59:59Z"));
        Assert.Equal(0, await database.AskAsync<long>("SELECT count(*) FROM jobs_log"));
        Assert.Equal(["1: 0"], await database.ServeAsync("2026-06-01 17:59:59Z", asked: true));
    }

    [Theory]
    [InlineData("2026-06-01")]
    [InlineData("2026-05-31")]
    public async Task Where_the_ledger_is_ahead_of_the_watermark_nothing_is_marked_and_the_agency_fails_alone(
        string written)
    {
        await using var database = await RuleDatabase.CreateAsync();
        var (agency, other) = (await database.AddAgencyAsync(1), await database.AddAgencyAsync(2));
        await database.ServedAsync(agency, "2026-05-30", "2026-05-30 17:00Z");
        await database.ServedAsync(other, "2026-05-31", "2026-05-31 17:00Z");
        await database.AddDueAsync(agency, "2026-05-31", "2026-06-01");
        await database.AddDueAsync(other, "2026-06-01");
        await database.ExecuteAsync(
            """
            INSERT INTO agency_runs (job_id, agency_id, cutoff_date, cutoff_at, serves_cutoff, trigger, started_at,
              completed_at, status, timezone, overdue_cutoff_time, resolution, tzdb_version)
            VALUES (gen_random_uuid(), $1, $2::date, $2::date, true, 'api', now(), now(), 'success', 'UTC', '17:00',
              'once', '1')
            """,
            agency, written);

        Assert.Equal(["2: 1"], await database.ServeAsync("2026-06-01 17:00Z"));

        Assert.Equal("", await database.OverdueAsync(agency));
        Assert.Equal(
            "the ledger says that dates from 2026-05-31 on were served, but the watermark stands at 2026-05-30",
            await database.AskAsync<string>("SELECT error_message FROM agency_runs WHERE status = 'failed'"));
        Assert.StartsWith(
            "1 of 2 agencies failed: ",
            await database.AskAsync<string>("SELECT error_message FROM jobs_log"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_pause_after_failures_in_a_row_doubles_up_to_32_times_the_first()
    {
        await using var database = await RuleDatabase.CreateAsync();
        var agency = await database.AddAgencyAsync(1);

        var pauses = new List<double>();
        for (var failure = 1; failure <= 8; failure++)
        {
            await database.ExecuteAsync(
                """
                SELECT note_agency_failure(
                  $1, gen_random_uuid(), '2026-06-01', 'watchdog', NULL, NULL, '', '1', '30 s')
                """,
                agency);
            pauses.Add(await database.AskAsync<double>(
                "SELECT extract(epoch FROM set_aside_until - '2026-06-01')::float FROM agency_cutoffs"));
        }

        Assert.Equal([30, 60, 120, 240, 480, 960, 960, 960], pauses);
        Assert.Equal("unknown error", await database.AskAsync<string>("SELECT last_error FROM agency_cutoffs"));
        Assert.Single(await database.LedgerAsync(agency));
        Assert.Equal(
            ["8"],
            await database.LinesAsync("SELECT details ->> 'failed_attempts' FROM alerts WHERE resolved_at IS NULL"));
    }

    private static async Task PayAsync(NpgsqlConnection connection, Guid installment)
    {
        await using var pay = new NpgsqlCommand("UPDATE installments SET status = 'paid' WHERE id = $1", connection)
        {
            Parameters = { new() { Value = installment } },
        };
        await pay.ExecuteNonQueryAsync();
    }

    /// <summary>Changes the zone; the change is made to be old, so that lateness counts from the cutoff.</summary>
    private static async Task SetZoneAsync(RuleDatabase database, Guid agency, string zone)
    {
        await database.ExecuteAsync("INSERT INTO supported_timezones (name) VALUES ($1) ON CONFLICT DO NOTHING", zone);
        await database.ExecuteAsync("UPDATE agencies SET timezone = $2 WHERE id = $1", agency, zone);
        await database.ExecuteAsync("UPDATE agency_cutoffs SET settings_changed_at = '2020-01-01'");
    }
}
