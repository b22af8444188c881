using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Rule;

/// <summary>What pg_cron calls once a minute. It leaves everything to the silos while one of them sweeps.</summary>
public sealed class WatchdogTests
{
    [Theory]
    [InlineData(null, 2)]
    [InlineData("2026-06-01 16:59:59Z", 2)]
    [InlineData("2026-06-01 17:00:00Z", 2)]
    [InlineData("2026-06-01 17:00:01Z", 0)]
    [InlineData("2026-06-01 17:03:30Z", 0)]
    public async Task It_acts_only_when_no_silo_has_swept_for_three_minutes(string? sweptAt, int served)
    {
        await using var database = await RuleDatabase.CreateAsync();
        foreach (var number in new[] { 1, 2 })
        {
            await database.AddDueAsync(await database.AddAgencyAsync(number), "2026-06-01");
        }

        if (sweptAt is not null)
        {
            await database.ExecuteAsync(
                "INSERT INTO sweeps VALUES ('update-installment-statuses', $1::timestamptz, 'a silo', 0)", sweptAt);
        }

        Assert.Equal(served, await RunAsync(database, "2026-06-01 17:03:00Z"));

        Assert.Equal(
            $"{served} {served} {served / 2}",
            await database.AskAsync<string>(
                """
                SELECT concat_ws(' ',
                  (SELECT count(*) FROM installments WHERE status = 'overdue'),
                  (SELECT count(*) FROM agency_runs WHERE trigger = 'watchdog'),
                  (SELECT count(*) FROM jobs_log WHERE status = 'success'))
                """));
    }

    [Fact]
    public async Task It_writes_nothing_when_there_is_nothing_to_do_and_leaves_late_arrivals_to_the_next_cutoff()
    {
        await using var database = await RuleDatabase.CreateAsync();
        var agency = await database.AddAgencyAsync(1);
        await database.ServedAsync(agency, "2026-06-01", "2026-06-01 17:00Z", nextAt: "2026-06-02 17:00Z");
        await database.AddDueAsync(agency, "2026-05-01");

        Assert.Equal(0, await RunAsync(database, "2026-06-02 16:59:59Z"));

        Assert.Equal("", await database.OverdueAsync(agency));
        Assert.Empty(await database.LedgerAsync(agency));
        Assert.Equal(0, await database.AskAsync<long>("SELECT count(*) FROM jobs_log"));
    }

    [Fact]
    public async Task Another_jobs_sweep_is_not_taken_for_ours()
    {
        await using var database = await RuleDatabase.CreateAsync();
        await database.AddAgencyAsync(1);
        await database.ExecuteAsync("INSERT INTO sweeps VALUES ('another-job', '2026-06-01 17:00Z', 'a silo', 0)");

        Assert.Equal(1, await RunAsync(database, "2026-06-01 17:00Z"));
    }

    [Fact]
    public async Task Nobody_but_the_owner_may_call_it()
    {
        await using var database = await RuleDatabase.CreateAsync();
        await using var superuser = NpgsqlDataSource.Create(database.SuperuserConnectionString);
        foreach (var role in new[] { "anon", "authenticated", "service_role" })
        {
            await using var connection = await superuser.OpenConnectionAsync();
            await using var call = new NpgsqlCommand($"SET ROLE {role}; SELECT run_watchdog('2026-06-01')", connection);
            Assert.Equal("42501", (await Assert.ThrowsAsync<PostgresException>(call.ExecuteScalarAsync)).SqlState);
        }
    }

    private static Task<int> RunAsync(RuleDatabase database, string now) =>
        database.AskAsync<int>("SELECT run_watchdog($1::timestamptz)", now)!;
}
