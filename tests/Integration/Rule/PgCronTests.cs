using Actors.Silo.Migrations;
using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Rule;

/// <summary>
/// The watchdog under a real pg_cron, which runs a job once a minute and not more often before its version 1.5, so one
/// test waits for up to a minute and a half. It waits for a notification, and does not look again and again.
/// </summary>
public sealed class PgCronTests
{
    private static readonly MigrationId BeforeWatchdog = new(4, 3);

    private const string Jobs =
        """
        SELECT coalesce(string_agg(concat_ws(' ', jobname, schedule, username, command), ';' ORDER BY jobid), '')
        FROM cron.job
        """;

    private const string AnotherJob = "another 0 0 1 1 * actors_owner SELECT 1";

    private const string OurJob =
        "update-installment-statuses-watchdog * * * * * actors_owner SELECT public.run_watchdog(clock_timestamp())";

    [Fact]
    public async Task Pg_cron_calls_the_watchdog_which_serves_what_no_silo_did_until_the_migration_is_taken_back()
    {
        await using var cluster = await CronCluster.StartAsync();
        await cluster.AsSuperuserAsync<object?>("GRANT USAGE ON SCHEMA cron TO actors_owner");
        await cluster.AskAsync<long>("SELECT cron.schedule('another', '0 0 1 1 *', 'SELECT 1')");
        var runner = new MigrationRunner(cluster.OwnerConnectionString);

        var applied = await runner.UpAsync();

        Assert.All(applied, migration => Assert.Empty(migration.Warnings));
        Assert.Equal($"{AnotherJob};{OurJob}", await cluster.AskAsync<string>(Jobs));
        await runner.VerifyAsync();

        await using var connection = new NpgsqlConnection(cluster.OwnerConnectionString);
        await connection.OpenAsync();
        await using (var prepare = new NpgsqlCommand(
            """
            CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NOTIFY served; RETURN NULL; END';
            CREATE TRIGGER tell AFTER INSERT ON agency_runs FOR EACH ROW EXECUTE FUNCTION tell();
            LISTEN served;
            WITH agency AS (INSERT INTO agencies (name) VALUES ('any') RETURNING id), plan AS (
              INSERT INTO payment_plans (agency_id) SELECT id FROM agency RETURNING id)
            INSERT INTO installments (payment_plan_id, student_due_date) SELECT id, '2020-01-01' FROM plan
            """,
            connection))
        {
            await prepare.ExecuteNonQueryAsync();
        }

        Assert.True(await connection.WaitAsync(TimeSpan.FromSeconds(90)), "pg_cron did not call for 90 seconds.");
        Assert.Equal("overdue", await cluster.AskAsync<string>("SELECT status FROM installments"));
        Assert.Equal(
            "watchdog success 1",
            await cluster.AskAsync<string>("SELECT concat_ws(' ', trigger, status, records_updated) FROM agency_runs"));
        Assert.Equal("success", await cluster.AskAsync<string>("SELECT status FROM jobs_log"));

        await runner.DownAsync(BeforeWatchdog);
        Assert.Equal(AnotherJob, await cluster.AskAsync<string>(Jobs));
    }

    [Fact]
    public async Task A_login_that_may_not_use_pg_cron_migrates_with_a_warning_that_says_what_to_run_and_comes_back()
    {
        await using var cluster = await CronCluster.StartAsync();
        var runner = new MigrationRunner(cluster.OwnerConnectionString);

        var applied = await runner.UpAsync();

        var warning = Assert.Single(applied.Single(one => one.Migration.Id == new MigrationId(4, 4)).Warnings);
        Assert.Contains("permission denied for schema cron", warning, StringComparison.Ordinal);
        await runner.DownAsync(BeforeWatchdog);
        Assert.Equal("", await cluster.AsSuperuserAsync<string>(Jobs));
        await runner.UpAsync();

        // What the warning says makes good what the migration could not do.
        var statements = warning.Split("to change that: ")[1].Split("; then as ");
        var grant = statements[0]["as a superuser ".Length..];
        Assert.Equal("GRANT USAGE ON SCHEMA cron TO actors_owner", grant);
        await cluster.AsSuperuserAsync<object?>(grant);
        await cluster.AskAsync<long>(statements[1]["actors_owner ".Length..]);
        Assert.Equal(OurJob, await cluster.AskAsync<string>(Jobs));
        await runner.DownAsync(BeforeWatchdog);
        Assert.Equal("", await cluster.AskAsync<string>(Jobs));
    }
}
