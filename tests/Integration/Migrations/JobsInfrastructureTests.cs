using System.Text;
using System.Text.Json;
using Actors.Silo.CommandLine;
using Actors.Silo.Migrations;
using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Migrations;

public sealed class JobsInfrastructureTests
{
    [Fact]
    public async Task Defect_5_no_extension_is_needed_and_no_key_is_stored_in_the_clear()
    {
        await using var database = await StartingDatabase.CreateMigratedAsync();

        Assert.Equal("plpgsql", await database.AskAsync<string>("SELECT string_agg(extname, ', ') FROM pg_extension"));
        Assert.Equal(
            0L,
            await database.AskAsync<long>(
                """
                SELECT count(*) FROM pg_db_role_setting
                WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
                """));
        var refusal = await Assert.ThrowsAsync<PostgresException>(
            () => database.ExecuteAsync("INSERT INTO api_keys (name, key_hash) VALUES ('cron', 'the key itself')"));
        Assert.Equal("api_keys_key_hash_check", refusal.ConstraintName);
        Assert.False(
            await database.AskAsync<bool>("SELECT has_table_privilege('authenticated', 'api_keys', 'SELECT')"));
    }

    [Fact]
    public async Task Defect_6_admins_read_the_log_and_service_role_updates_what_it_can_select()
    {
        await using var database = await StartingDatabase.CreateMigratedAsync();
        var (admin, other) = (Guid.NewGuid(), Guid.NewGuid());
        await database.ExecuteAsync($"INSERT INTO user_roles (user_id, role) VALUES ('{admin}', 'admin')");
        var login = await database.MakeLoginAsync("NOINHERIT", "authenticated", "service_role");
        try
        {
            await using var source = NpgsqlDataSource.Create(database.ConnectionStringAs(login));
            await using var connection = await source.OpenConnectionAsync();
            await ExecuteAsync(connection, "SET ROLE service_role");
            var id = await AskAsync(
                connection,
                "INSERT INTO jobs_log (job_name, started_at, status) VALUES ('j', now(), 'running') RETURNING id");
            Assert.Equal(
                1, await ExecuteAsync(connection, $"UPDATE jobs_log SET status = 'success' WHERE id = '{id}'"));

            await ExecuteAsync(connection, "SET ROLE authenticated");
            await ExecuteAsync(connection, $"SET request.jwt.claim.sub = '{admin}'");
            Assert.Equal(1L, await AskAsync(connection, "SELECT count(*) FROM jobs_log"));
            await ExecuteAsync(connection, $"SET request.jwt.claim.sub = '{other}'");
            Assert.Equal(0L, await AskAsync(connection, "SELECT count(*) FROM jobs_log"));
            Assert.Equal(0L, await AskAsync(connection, "SELECT count(*) FROM user_roles"));
        }
        finally
        {
            await database.DropLoginAsync(login);
        }
    }

    [Theory]
    [InlineData("x")]
    [InlineData("é")]
    [InlineData("日")]
    [InlineData("😀")]
    [InlineData("\"")]
    [InlineData("\\")]
    [InlineData("\u0001")]
    [InlineData("\n\"a日")]
    public async Task Defect_7_a_long_error_message_is_stored_whole_and_its_notification_is_cut(string piece)
    {
        await using var database = await StartingDatabase.CreateMigratedAsync();
        await using var listener = await database.Source.OpenConnectionAsync();
        var payloads = new List<string>();
        listener.Notification += (_, arguments) => payloads.Add(arguments.Payload);
        await ExecuteAsync(listener, "LISTEN job_failure");
        var message = string.Concat(Enumerable.Repeat(piece, 20_000 / piece.Length));

        await database.ExecuteAsync(
            "INSERT INTO jobs_log (job_name, started_at, status) "
            + "VALUES ('update-installment-statuses', now(), 'running')");
        await using var fail = database.Source.CreateCommand(
            "UPDATE jobs_log SET status = 'failed', error_message = $1");
        fail.Parameters.Add(new() { Value = message });
        Assert.Equal(1, await fail.ExecuteNonQueryAsync());
        // A row that is failed already is not told again.
        await database.ExecuteAsync("UPDATE jobs_log SET metadata = '{}'");

        Assert.True(await listener.WaitAsync(TimeSpan.FromSeconds(30)));
        await ExecuteAsync(listener, "SELECT 1");
        var payload = Assert.Single(payloads);
        Assert.InRange(Encoding.UTF8.GetByteCount(payload), 7_900, 7_999);
        var told = JsonDocument.Parse(payload).RootElement;
        var text = told.GetProperty("error_message").GetString()!;
        Assert.Equal("update-installment-statuses", told.GetProperty("job_name").GetString());
        Assert.EndsWith("...", text, StringComparison.Ordinal);
        Assert.StartsWith(text[..^3], message, StringComparison.Ordinal);
        Assert.Equal(message, await database.AskAsync<string>("SELECT error_message FROM jobs_log"));
    }

    [Fact]
    public async Task A_short_error_message_is_notified_whole_and_other_jobs_not_at_all()
    {
        await using var database = await StartingDatabase.CreateMigratedAsync();
        await using var listener = await database.Source.OpenConnectionAsync();
        var payloads = new List<string>();
        listener.Notification += (_, arguments) => payloads.Add(arguments.Payload);
        await ExecuteAsync(listener, "LISTEN job_failure");

        await database.ExecuteAsync(
            """
            INSERT INTO jobs_log (job_name, started_at, status, error_message) VALUES
              ('another', now(), 'failed', 'no'), ('update-installment-statuses', now(), 'failed', 'why')
            """);

        Assert.True(await listener.WaitAsync(TimeSpan.FromSeconds(30)));
        var told = JsonDocument.Parse(Assert.Single(payloads)).RootElement;
        Assert.Equal("why", told.GetProperty("error_message").GetString());
    }

    [Fact]
    public async Task Defect_9_zones_in_use_are_added_and_the_unknown_ones_named()
    {
        await using var database = await StartingDatabase.CreateAsync("some_columns_already_there");
        await database.ExecuteAsync(
            "INSERT INTO agencies VALUES (gen_random_uuid(), 'Three', 'Mars/Olympus_Mons', '17:00')");

        var results = await database.Runner.UpAsync();

        var warning = Assert.Single(results.SelectMany(result => result.Warnings), text => text.Contains("Mars"));
        Assert.Contains("1 agencies", warning, StringComparison.Ordinal);
        Assert.Equal(17L, await database.AskAsync<long>("SELECT count(*) FROM supported_timezones"));
        var unknown = await ZoneInUse.UnknownToNodaTimeAsync(database.Source, CancellationToken.None);
        Assert.Equal(new ZoneInUse("Mars/Olympus_Mons", 1), Assert.Single(unknown));
        var refusal = await Assert.ThrowsAsync<PostgresException>(
            () => database.ExecuteAsync("UPDATE agencies SET timezone = 'Australia/Brisbame'"));
        Assert.Equal("agencies_timezone_check", refusal.ConstraintName);
    }

    [Theory]
    [InlineData("overdue_cutoff_time TIME DEFAULT '24:00'", "overdue_cutoff_time 24:00:00")]
    [InlineData("due_soon_threshold_days INT DEFAULT 31", "due_soon_threshold_days 31")]
    [InlineData("timezone TEXT", "timezone NULL")]
    [InlineData("overdue_cutoff_time INTERVAL", "expected is time without time zone")]
    [InlineData("due_soon_threshold_days TEXT", "expected is integer")]
    public async Task Settings_that_do_not_fit_are_named_and_nothing_is_changed(string column, string complaint)
    {
        await using var database = await StartingDatabase.CreateAsync("core_tables_with_text_status");
        await database.ExecuteAsync($"ALTER TABLE agencies ADD COLUMN {column}");
        await database.Runner.UpAsync(new MigrationId(3, 999));
        var schema = await database.DumpSchemaAsync();

        var refusal = await Assert.ThrowsAsync<CommandFailure>(() => database.Runner.UpAsync(new MigrationId(4, 1)));

        Assert.Equal(ExitCode.DatabaseUnsuitable, refusal.Code);
        Assert.Contains(complaint, refusal.Message, StringComparison.Ordinal);
        Assert.Equal(schema, await database.DumpSchemaAsync());
    }

    [Fact]
    public async Task A_schedule_of_the_original_is_left_and_named()
    {
        await using var database = await StartingDatabase.CreateAsync();
        await database.ExecuteAsync(
            """
            CREATE SCHEMA cron;
            CREATE TABLE cron.job (jobname TEXT);
            INSERT INTO cron.job VALUES ('update-installment-statuses-daily');
            """);

        var results = await database.Runner.UpAsync(new MigrationId(4, 1));

        var warning = Assert.Single(results.SelectMany(result => result.Warnings));
        Assert.Contains("cron.unschedule", warning, StringComparison.Ordinal);
        Assert.Equal(1L, await database.AskAsync<long>("SELECT count(*) FROM cron.job"));
    }

    private static async Task<int> ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteNonQueryAsync();
    }

    private static async Task<object?> AskAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }
}
