using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Rule;

/// <summary>The original's defects of the rule, each against what `update_installment_statuses` calls.</summary>
public sealed class OriginalDefectsTests
{
    [Theory]
    [InlineData("America/Los_Angeles", "2026-06-01 23:59:59Z", "2026-06-02 00:00Z", "06-01")]
    [InlineData("Asia/Tokyo", "2026-06-02 07:59:59Z", "2026-06-02 08:00Z", "06-01 06-02")]
    [InlineData("Pacific/Auckland", "2026-06-02 04:59:59Z", "2026-06-02 05:00Z", "06-01 06-02")]
    public async Task Defect_1_the_local_date_decides_whatever_the_sessions_zone_is(
        string zone, string justBefore, string cutoff, string overdue)
    {
        await using var database = await RuleDatabase.CreateAsync();
        var agency = await database.AddAgencyAsync(1, zone);
        await database.AddDueAsync(agency, "2026-06-01", "2026-06-02", "2026-06-03");

        foreach (var (now, expected) in new[] { (justBefore, overdue[..^5].Trim()), (cutoff, overdue) })
        {
            foreach (var session in new[] { "Pacific/Kiritimati", "Etc/GMT+12", "UTC" })
            {
                await using var connection = await database.Owner.OpenConnectionAsync();
                await using var transaction = await connection.BeginTransactionAsync();
                await using var command = new NpgsqlCommand(
                    $"""
                    SET LOCAL TimeZone = '{session}';
                    SELECT count(*) FROM serve_cutoffs_in_sql('{now}', true);
                    SELECT coalesce(string_agg(to_char(student_due_date, 'MM-DD'), ' ' ORDER BY student_due_date), '')
                    FROM installments WHERE status = 'overdue'
                    """,
                    connection);
                await using var reader = await command.ExecuteReaderAsync();
                await reader.NextResultAsync();
                await reader.ReadAsync();
                Assert.Equal((session, expected), (session, reader.GetString(0)));
            }
        }
    }

    [Fact]
    public async Task Defect_2_each_agency_is_served_at_its_own_cutoff_and_at_no_other()
    {
        await using var database = await RuleDatabase.CreateAsync();
        (string Zone, string Cutoff)[] agencies =
        [
            ("Pacific/Auckland", "2026-06-02 05:00Z"), ("Australia/Brisbane", "2026-06-02 07:00Z"),
            ("Asia/Tokyo", "2026-06-02 08:00Z"), ("Europe/London", "2026-06-02 16:00Z"),
            ("America/New_York", "2026-06-02 21:00Z"), ("America/Los_Angeles", "2026-06-03 00:00Z"),
        ];
        for (var number = 1; number <= agencies.Length; number++)
        {
            var agency = await database.AddAgencyAsync(number, agencies[number - 1].Zone);
            await database.ServedAsync(agency, "2026-06-01", "2026-06-01 12:00Z");
            await database.AddDueAsync(agency, "2026-06-02");
        }

        for (var number = 1; number <= agencies.Length; number++)
        {
            Assert.Equal([$"{number}: 1"], await database.ServeAsync(agencies[number - 1].Cutoff));
        }
    }

    [Fact]
    public async Task Defect_3_a_cutoff_has_passed_from_its_instant_on()
    {
        await using var database = await RuleDatabase.CreateAsync();
        var agency = await database.AddAgencyAsync(1, "Australia/Sydney", "23:59:59");
        await database.ServedAsync(agency, "2026-06-01", "2026-06-01 13:59:59Z");
        await database.AddDueAsync(agency, "2026-06-02");

        Assert.Empty(await database.ServeAsync("2026-06-02 13:59:58.999999Z"));
        Assert.Equal("", await database.OverdueAsync(agency));
        Assert.Equal(["1: 1"], await database.ServeAsync("2026-06-02 13:59:59Z"));
        Assert.Equal("06-02", await database.OverdueAsync(agency));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Defect_4_an_agency_with_a_bad_zone_fails_alone_and_is_alerted(bool asked)
    {
        await using var database = await RuleDatabase.CreateAsync();
        foreach (var (number, zone) in new[] { (1, "UTC"), (2, "Mars/Olympus_Mons"), (3, "UTC") })
        {
            await database.AddDueAsync(await database.AddAgencyAsync(number, zone), "2026-06-01");
        }

        Assert.Equal(["1: 1", "3: 1"], await database.ServeAsync("2026-06-01 17:00Z", asked));

        Assert.Equal("", await database.OverdueAsync(RuleDatabase.Id(2)));
        Assert.Equal(["no date no instant beside failed 0 postgresql"], await database.LedgerAsync(RuleDatabase.Id(2)));
        Assert.Equal(
            ["watchdog: time zone \"Mars/Olympus_Mons\" not recognized"],
            await database.LinesAsync(
                "SELECT trigger || ': ' || error_message FROM agency_runs WHERE status = 'failed'"));
        Assert.Equal(
            $"1 of 3 agencies failed: {RuleDatabase.Id(2)}: time zone \"Mars/Olympus_Mons\" not recognized",
            await database.AskAsync<string>("SELECT error_message FROM jobs_log WHERE status = 'failed'"));
        Assert.Equal(
            [$"agency_failed {RuleDatabase.Id(2)}", "run_failed "],
            await database.LinesAsync("SELECT kind || ' ' || coalesce(agency_id::text, '') FROM alerts ORDER BY kind"));
        Assert.Equal(
            "1 2026-06-01T17:00:30",
            await database.AskAsync<string>(
                """
                SELECT failed_attempts || ' ' || to_char(set_aside_until AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS')
                FROM agency_cutoffs WHERE agency_id = $1
                """,
                RuleDatabase.Id(2)));
    }

    [Fact]
    public async Task Defect_10_of_two_callers_at_once_one_waits_and_finds_nothing_left_to_do()
    {
        await using var database = await RuleDatabase.CreateAsync();
        var agency = await database.AddAgencyAsync(1);
        await database.AddDueAsync(agency, "2026-06-01");
        await using var connection = await database.Owner.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using var first = new NpgsqlCommand(
            "SELECT sum(updated_count) FROM serve_cutoffs_in_sql('2026-06-01 17:00Z', false)", connection);
        Assert.Equal(1L, await first.ExecuteScalarAsync());

        var second = database.ServeAsync("2026-06-01 17:00Z");
        await database.UntilSomebodyWaitsForALockAsync();
        Assert.False(second.IsCompleted);
        await transaction.CommitAsync();

        Assert.Empty(await second);
        Assert.Equal(["06-01 06-01T17:00:00 serves success 1 postgresql"], await database.LedgerAsync(agency));
        Assert.Equal(1, await database.AskAsync<long>("SELECT count(*) FROM jobs_log"));
    }

    [Fact]
    public async Task Defect_10_four_callers_at_once_serve_every_date_once_and_mark_nothing_twice()
    {
        await using var database = await RuleDatabase.CreateAsync();
        for (var number = 1; number <= 20; number++)
        {
            var agency = await database.AddAgencyAsync(number);
            await database.ServedAsync(agency, "2026-05-30", "2026-05-30 17:00Z");
            await database.AddDueAsync(agency, "2026-05-30", "2026-05-31", "2026-06-01", "2026-06-02");
        }

        var calls = await Task.WhenAll(
            Enumerable.Range(0, 4).Select(_ => database.ServeAsync("2026-06-01 17:00Z", asked: true)));

        Assert.All(calls, call => Assert.Equal(20, call.Count));
        Assert.Equal(
            ["05-31 20 40", "06-01 20 20"],
            await database.LinesAsync(
                """
                SELECT to_char(cutoff_date, 'MM-DD') || ' ' || count(*) || ' ' || sum(records_updated)
                FROM agency_runs WHERE serves_cutoff GROUP BY cutoff_date ORDER BY cutoff_date
                """));
        Assert.Equal(
            "60 60 60",
            await database.AskAsync<string>(
                """
                SELECT (SELECT sum(records_updated) FROM agency_runs) || ' '
                  || (SELECT sum(records_updated) FROM jobs_log) || ' '
                  || (SELECT count(*) FROM installments WHERE status = 'overdue')
                """));
    }
}
