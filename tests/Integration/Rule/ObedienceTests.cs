using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Rule;

/// <summary>
/// The rule in SQL obeys what a silo has stored, and serves and writes what a silo would. That the releases of the time
/// zones disagree is played by storing another instant than PostgreSQL's own zones give.
/// </summary>
public sealed class ObedienceTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_date_whose_stored_cutoff_is_ahead_is_not_marked_even_when_PostgreSQLs_zones_say_it_has_passed(
        bool asked)
    {
        await using var database = await RuleDatabase.CreateAsync();
        var agency = await database.AddAgencyAsync(1);
        await database.ServedAsync(agency, "2026-06-01", "2026-06-01 18:00Z", nextAt: "2026-06-02 18:00Z");
        await database.AddDueAsync(agency, "2026-06-02");

        Assert.Equal(asked ? ["1: 0"] : [], await database.ServeAsync("2026-06-02 17:59:59.999999Z", asked));
        Assert.Equal("", await database.OverdueAsync(agency));
        string[] beside = asked ? ["06-01 06-01T18:00:00 beside success 0 postgresql"] : [];
        Assert.Equal(beside, await database.LedgerAsync(agency));

        Assert.Equal(["1: 1"], await database.ServeAsync("2026-06-02 18:00Z", asked));
        Assert.Equal("06-02", await database.OverdueAsync(agency));
        Assert.Equal(
            [.. beside, "06-02 06-02T18:00:00 serves success 1 late 00:00:00 of"], await database.LedgerAsync(agency));
    }

    [Fact]
    public async Task A_stored_cutoff_that_has_passed_is_served_even_when_PostgreSQLs_zones_say_it_is_ahead()
    {
        await using var database = await RuleDatabase.CreateAsync();
        var agency = await database.AddAgencyAsync(1);
        await database.ServedAsync(agency, "2026-06-01", "2026-06-01 16:00Z", nextAt: "2026-06-02 16:00Z");
        await database.AddDueAsync(agency, "2026-06-02", "2026-06-03");

        Assert.Equal(["1: 1"], await database.ServeAsync("2026-06-02 16:00:05Z"));

        Assert.Equal("06-02", await database.OverdueAsync(agency));
        Assert.Equal(
            ["06-02 06-02T16:00:00 serves success 1 late 00:00:05 of"], await database.LedgerAsync(agency));
    }

    [Theory]
    [InlineData("2020-01-01 00:00Z", "06-02")]
    [InlineData("2026-06-02 16:00Z", "06-01")]
    [InlineData("2026-06-02 16:10Z", "06-01")]
    public async Task A_run_that_is_asked_for_goes_as_far_as_the_stored_cutoffs_unless_the_settings_changed_since(
        string settingsChangedAt, string overdue)
    {
        await using var database = await RuleDatabase.CreateAsync();
        var agency = await database.AddAgencyAsync(1);
        await database.ServedAsync(agency, "2026-06-02", "2026-06-02 16:00Z", nextAt: "2026-06-03 16:00Z");
        await database.ExecuteAsync(
            "UPDATE agency_cutoffs SET settings_changed_at = $1::timestamptz", settingsChangedAt);
        await database.AddDueAsync(agency, $"2026-{overdue}", "2026-06-03");

        Assert.Equal(["1: 1"], await database.ServeAsync("2026-06-02 16:30Z", asked: true));

        Assert.Equal(overdue, await database.OverdueAsync(agency));
        Assert.StartsWith(
            $"{overdue} {overdue}T", Assert.Single(await database.LedgerAsync(agency)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task PostgreSQLs_zones_speak_only_for_dates_that_nothing_is_stored_for()
    {
        await using var database = await RuleDatabase.CreateAsync();
        var agency = await database.AddAgencyAsync(1);
        await database.ServedAsync(agency, "2026-06-01", "2026-06-01 16:00Z", nextAt: "2026-06-02 16:00Z");
        await database.AddDueAsync(agency, "2026-05-01", "2026-06-02", "2026-06-04", "2026-06-05");

        Assert.Equal(["1: 3"], await database.ServeAsync("2026-06-04 17:00Z"));

        Assert.Equal("05-01 06-02 06-04", await database.OverdueAsync(agency));
        Assert.Equal(
            [
                "06-02 06-02T16:00:00 serves success 2 late 2 days 01:00:00 of",
                "06-03 06-03T17:00:00 serves success 0 late 1 day postgresql",
                "06-04 06-04T17:00:00 serves success 1 late 00:00:00 postgresql",
            ],
            await database.LedgerAsync(agency));
        Assert.Equal(
            "2026-06-04 t t",
            await database.AskAsync<string>(
                """
                SELECT concat_ws(' ', last_cutoff_date, next_cutoff_at IS NULL, tzdb_version IS NULL)
                FROM agency_cutoffs
                """));
    }

    [Fact]
    public async Task A_new_agency_starts_with_one_row_at_the_latest_passed_date()
    {
        await using var database = await RuleDatabase.CreateAsync();
        var agency = await database.AddAgencyAsync(1, "Asia/Tokyo");
        await database.AddDueAsync(agency, "2020-01-01", "2026-06-01", "2026-06-02");

        Assert.Equal(["1: 2"], await database.ServeAsync("2026-06-02 07:59:59Z"));

        Assert.Equal("01-01 06-01", await database.OverdueAsync(agency));
        Assert.Equal(["06-01 06-01T08:00:00 serves success 2 postgresql"], await database.LedgerAsync(agency));
    }

    [Fact]
    public async Task What_arrives_after_a_run_waits_for_the_next_cutoff_or_for_a_run_that_somebody_asks_for()
    {
        await using var database = await RuleDatabase.CreateAsync();
        var agency = await database.AddAgencyAsync(1);
        await database.ServedAsync(agency, "2026-06-01", "2026-06-01 17:00Z");
        await database.AddDueAsync(agency, "2026-06-01");

        Assert.Empty(await database.ServeAsync("2026-06-02 09:00Z"));
        Assert.Equal("", await database.OverdueAsync(agency));
        Assert.Empty(await database.LedgerAsync(agency));
        Assert.Equal(0, await database.AskAsync<long>("SELECT count(*) FROM jobs_log"));

        Assert.Equal(["1: 1"], await database.ServeAsync("2026-06-02 10:00Z", asked: true));
        Assert.Equal(["1: 0"], await database.ServeAsync("2026-06-02 11:00Z", asked: true));
        Assert.Equal("06-01", await database.OverdueAsync(agency));
        Assert.Equal(
            ["06-01 06-01T17:00:00 beside success 1 postgresql", "06-01 06-01T17:00:00 beside success 0 postgresql"],
            await database.LedgerAsync(agency));
        Assert.Equal(
            ["success 1 1", "success 0 1"],
            await database.LinesAsync(
                """
                SELECT concat_ws(' ', status, records_updated, metadata ->> 'agencies_total')
                FROM jobs_log ORDER BY started_at
                """));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_paused_agency_is_left_untouched_and_is_not_answered(bool asked)
    {
        await using var database = await RuleDatabase.CreateAsync();
        var (paused, other) = (await database.AddAgencyAsync(1), await database.AddAgencyAsync(2));
        await database.AddDueAsync(paused, "2026-06-01");
        await database.ExecuteAsync("UPDATE agency_cutoffs SET paused_at = now() WHERE agency_id = $1", paused);
        var before = await WatermarkAsync(database, paused);

        Assert.Equal(["2: 0"], await database.ServeAsync("2026-06-02 09:00Z", asked));

        Assert.Equal("", await database.OverdueAsync(paused));
        Assert.Empty(await database.LedgerAsync(paused));
        Assert.Single(await database.LedgerAsync(other));
        Assert.Equal(before, await WatermarkAsync(database, paused));
    }

    [Fact]
    public async Task Only_what_is_pending_in_an_active_plan_and_due_is_marked()
    {
        await using var database = await RuleDatabase.CreateAsync();
        var agency = await database.AddAgencyAsync(1);
        await database.ExecuteAsync(
            """
            WITH plan AS (
              INSERT INTO payment_plans (agency_id, status)
              SELECT $1, s FROM unnest('{draft,active,paused,completed,cancelled}'::text[]) AS s RETURNING id
            )
            INSERT INTO installments (payment_plan_id, student_due_date, status)
            SELECT id, due, status
            FROM plan, unnest('{2026-06-01,2026-06-02,NULL}'::date[]) AS due,
                 unnest('{draft,pending,paid,partial,overdue,cancelled}'::text[]) AS status
            """,
            agency);
        const string all =
            """
            SELECT concat_ws(' ', p.status, i.status, coalesce(i.student_due_date::text, 'none'))
            FROM installments i JOIN payment_plans p ON p.id = i.payment_plan_id ORDER BY 1
            """;
        var before = await database.LinesAsync(all);

        Assert.Equal(["1: 1"], await database.ServeAsync("2026-06-01 17:00Z"));

        var expected = before.Select(line => line == "active pending 2026-06-01" ? "active overdue 2026-06-01" : line);
        var after = await database.LinesAsync(all);
        Assert.Equal(expected.Order(StringComparer.Ordinal), after.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Lateness_counts_from_the_last_change_of_settings_when_that_is_later_than_the_cutoff()
    {
        await using var database = await RuleDatabase.CreateAsync();
        var agency = await database.AddAgencyAsync(1);
        await database.ServedAsync(agency, "2026-05-31", "2026-05-31 17:00Z");
        await database.ExecuteAsync("UPDATE agency_cutoffs SET settings_changed_at = '2026-06-01 20:00Z'");

        await database.ServeAsync("2026-06-02 17:00:30Z");

        Assert.Equal(
            [
                "06-01 06-01T17:00:00 serves success 0 late 21:00:30 postgresql",
                "06-02 06-02T17:00:00 serves success 0 late 00:00:30 postgresql",
            ],
            await database.LedgerAsync(agency));
    }

    [Fact]
    public async Task It_answers_in_the_originals_columns_and_only_service_role_may_call_it()
    {
        await using var database = await RuleDatabase.CreateAsync();
        var agency = await database.AddAgencyAsync(1);
        await database.AddDueAsync(agency, "2020-01-01", "2020-01-02");

        await using var silo = NpgsqlDataSource.Create(database.SiloConnectionString);
        await using var command = silo.CreateCommand("SELECT * FROM update_installment_statuses()");
        await using var reader = await command.ExecuteReaderAsync();
        Assert.Equal(
            ["agency_id uuid", "updated_count integer", "transitions jsonb"],
            Enumerable.Range(0, reader.FieldCount).Select(i => $"{reader.GetName(i)} {reader.GetDataTypeName(i)}"));
        Assert.True(await reader.ReadAsync());
        Assert.Equal((agency, 2), (reader.GetGuid(0), reader.GetInt32(1)));
        Assert.Equal("""{"pending_to_overdue": 2}""", reader.GetString(2));
        Assert.False(await reader.ReadAsync());

        await using var superuser = NpgsqlDataSource.Create(database.SuperuserConnectionString);
        foreach (var (role, may) in new[] { ("service_role", true), ("anon", false), ("authenticated", false) })
        {
            await using var connection = await superuser.OpenConnectionAsync();
            await using var call = new NpgsqlCommand(
                $"SET ROLE {role}; SELECT count(*) FROM update_installment_statuses()", connection);
            if (may) Assert.Equal(1L, await call.ExecuteScalarAsync());
            else Assert.Equal("42501", (await Assert.ThrowsAsync<PostgresException>(call.ExecuteScalarAsync)).SqlState);
        }
    }

    private static Task<string?> WatermarkAsync(RuleDatabase database, Guid agency) =>
        database.AskAsync<string>("SELECT c::text FROM agency_cutoffs c WHERE agency_id = $1", agency);
}
