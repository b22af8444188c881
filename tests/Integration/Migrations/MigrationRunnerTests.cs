using Actors.Silo.CommandLine;
using Actors.Silo.Migrations;
using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Migrations;

public sealed class MigrationRunnerTests
{
    private static readonly MigrationWaits ShortWaits =
        new(TimeSpan.FromMilliseconds(200), TimeSpan.FromMilliseconds(200), TimeSpan.FromMinutes(1));

    [Fact]
    public async Task Of_two_runners_at_once_one_does_everything_and_the_other_finds_nothing_to_do()
    {
        await using var database = await StartingDatabase.CreateAsync();

        var both = await Task.WhenAll(database.Runner.UpAsync(), database.Runner.UpAsync());

        Assert.Equal(
            [0, MigrationCatalogue.Embedded.Migrations.Count], both.Select(results => results.Count).Order());
    }

    [Fact]
    public async Task Waiting_for_another_migration_has_an_end()
    {
        await using var database = await StartingDatabase.CreateAsync();
        await using var other = await database.Source.OpenConnectionAsync();
        await using var hold = new NpgsqlCommand($"SELECT pg_advisory_lock({MigrationRunner.AdvisoryLock})", other);
        await hold.ExecuteNonQueryAsync();

        var refusal = await Assert.ThrowsAsync<CommandFailure>(
            () => new MigrationRunner(database.ConnectionString, waits: ShortWaits).UpAsync());

        Assert.Equal(ExitCode.DatabaseUnsuitable, refusal.Code);
        Assert.Contains("still running after 0.2 s", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_table_held_by_a_long_transaction_ends_the_migration_with_advice_and_nothing_half_done()
    {
        await using var database = await StartingDatabase.CreateAsync("core_tables_with_text_status");
        await database.Runner.UpAsync(new MigrationId(3, 999));
        await using var other = await database.Source.OpenConnectionAsync();
        await using var transaction = await other.BeginTransactionAsync();
        await using var read = new NpgsqlCommand("SELECT count(*) FROM agencies", other);
        await read.ExecuteScalarAsync();
        var schema = await database.DumpSchemaAsync();

        var refusal = await Assert.ThrowsAsync<CommandFailure>(
            () => new MigrationRunner(database.ConnectionString, waits: ShortWaits).UpAsync());

        Assert.Equal(ExitCode.DatabaseUnsuitable, refusal.Code);
        Assert.Contains("pg_stat_activity", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("001_jobs_infrastructure.sql:", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(schema, await database.DumpSchemaAsync());
    }

    [Fact]
    public async Task Running_up_again_finds_nothing_to_do()
    {
        await using var database = await StartingDatabase.CreateMigratedAsync();

        Assert.Empty(await database.Runner.UpAsync());
    }

    [Fact]
    public async Task A_silo_does_not_start_on_a_schema_that_is_behind()
    {
        await using var database = await StartingDatabase.CreateMigratedAsync();
        await database.Runner.DownAsync();

        var refusal = await Assert.ThrowsAsync<CommandFailure>(() => database.Runner.RequireCurrentAsync());

        Assert.Equal(ExitCode.SchemaMismatch, refusal.Code);
        Assert.Contains("./actors migrate up", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_silo_does_not_start_on_a_schema_that_is_ahead()
    {
        await using var database = await StartingDatabase.CreateMigratedAsync();
        await database.ExecuteAsync(
            "INSERT INTO actors.schema_migrations (version, domain, name, checksum) "
            + "VALUES ('905/001', '905_later', 'x', repeat('0', 64))");

        var refusal = await Assert.ThrowsAsync<CommandFailure>(() => database.Runner.RequireCurrentAsync());

        Assert.Equal(ExitCode.SchemaMismatch, refusal.Code);
        Assert.Contains("905/001", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("run a newer version", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_edited_history_is_refused_by_every_command()
    {
        await using var database = await StartingDatabase.CreateMigratedAsync();
        await database.ExecuteAsync(
            "UPDATE actors.schema_migrations SET checksum = repeat('0', 64) WHERE version = '002/001'");

        foreach (var refused in new Func<Task>[]
        {
            () => database.Runner.RequireCurrentAsync(),
            () => database.Runner.UpAsync(),
            () => database.Runner.DownAsync(),
        })
        {
            var refusal = await Assert.ThrowsAsync<CommandFailure>(refused);
            Assert.Equal(ExitCode.SchemaMismatch, refusal.Code);
            Assert.Contains("sql/002_access_domain/001_api_keys.sql", refusal.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_silos_login_may_read_the_history_and_change_nothing_of_it()
    {
        await using var database = await StartingDatabase.CreateMigratedAsync();
        var login = await database.MakeLoginAsync("", "service_role");
        try
        {
            var runner = new MigrationRunner(database.ConnectionStringAs(login));

            await runner.RequireCurrentAsync();

            Assert.Equal(
                ExitCode.MissingRights, (await Assert.ThrowsAsync<CommandFailure>(() => runner.DownAsync())).Code);
        }
        finally
        {
            await database.DropLoginAsync(login);
        }
    }

    [Fact]
    public async Task A_login_without_rights_is_told_which_one_is_missing()
    {
        await using var database = await StartingDatabase.CreateAsync();
        var login = await database.MakeLoginAsync();
        try
        {
            var refusal = await Assert.ThrowsAsync<CommandFailure>(
                () => new MigrationRunner(database.ConnectionStringAs(login)).UpAsync());

            Assert.Equal(ExitCode.MissingRights, refusal.Code);
            Assert.Contains($"TO {login}", refusal.Message, StringComparison.Ordinal);
            Assert.Contains("GRANT CREATE ON DATABASE", refusal.Message, StringComparison.Ordinal);
        }
        finally
        {
            await database.DropLoginAsync(login);
        }
    }

    [Fact]
    public async Task A_login_that_does_not_own_the_tables_is_told_so_and_nothing_stays()
    {
        await using var database = await StartingDatabase.CreateAsync("core_tables_with_text_status");
        var login = await database.MakeLoginAsync();
        await database.ExecuteAsync(
            $"GRANT CREATE ON DATABASE {new NpgsqlConnectionStringBuilder(database.ConnectionString).Database} "
            + $"TO {login}; GRANT CREATE ON SCHEMA public TO {login}");
        var schema = await database.DumpSchemaAsync();
        try
        {
            var refusal = await Assert.ThrowsAsync<CommandFailure>(
                () => new MigrationRunner(database.ConnectionStringAs(login)).UpAsync());

            Assert.Equal(ExitCode.MissingRights, refusal.Code);
            Assert.Contains("001_core_tables.sql:", refusal.Message, StringComparison.Ordinal);
            Assert.Equal(schema, await database.DumpSchemaAsync());
        }
        finally
        {
            await database.DropLoginAsync(login);
        }
    }

    [Fact]
    public async Task An_owner_without_CREATEROLE_is_enough_where_the_roles_exist()
    {
        await using var database = await StartingDatabase.CreateAsync();
        var owner = await database.MakeLoginAsync("NOCREATEROLE");
        var name = new NpgsqlConnectionStringBuilder(database.ConnectionString).Database;
        await database.ExecuteAsync($"GRANT {owner} TO CURRENT_USER; ALTER DATABASE {name} OWNER TO {owner}");
        try
        {
            var runner = new MigrationRunner(database.ConnectionStringAs(owner));

            Assert.NotEmpty(await runner.UpAsync());
            await runner.VerifyAsync();
            await runner.DownAsync(MigrationId.None);
        }
        finally
        {
            await database.ExecuteAsync($"ALTER DATABASE {name} OWNER TO CURRENT_USER");
            await database.DropLoginAsync(owner);
        }
    }

    [Fact]
    public async Task An_error_in_a_file_names_file_line_and_message_and_leaves_nothing()
    {
        await using var database = await StartingDatabase.CreateAsync();
        var catalogue = MigrationCatalogue.From(
        [
            new SqlFile("sql/001_made_up/001_a.sql", "CREATE TABLE a ();\n\n-- and then\nSELECT 1,\n  oops;\n"),
            new SqlFile("sql/001_made_up/001_a.down.sql", "DROP TABLE a;"),
            new SqlFile("sql/001_made_up/verify.sql", ""),
        ]);

        var refusal = await Assert.ThrowsAsync<CommandFailure>(
            () => new MigrationRunner(database.ConnectionString, catalogue).UpAsync());

        Assert.StartsWith(
            "sql/001_made_up/001_a.sql:5: column \"oops\" does not exist.", refusal.Message, StringComparison.Ordinal);
        Assert.True(await database.AskAsync<bool>("SELECT to_regclass('a') IS NULL"));
        Assert.True(await database.AskAsync<bool>("SELECT to_regnamespace('actors') IS NULL"));
    }

    [Fact]
    public async Task A_database_that_does_not_answer_is_named()
    {
        await using var database = await StartingDatabase.CreateAsync();
        var nowhere = new NpgsqlConnectionStringBuilder(database.ConnectionString) { Port = 1 };

        var refusal = await Assert.ThrowsAsync<CommandFailure>(
            () => new MigrationRunner(nowhere.ConnectionString).UpAsync());

        Assert.Equal(ExitCode.DatabaseUnreachable, refusal.Code);
        Assert.Contains(":1 does not answer", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_read_only_database_is_named_as_such()
    {
        await using var database = await StartingDatabase.CreateAsync();
        var name = new NpgsqlConnectionStringBuilder(database.ConnectionString).Database;
        await database.ExecuteAsync($"ALTER DATABASE {name} SET default_transaction_read_only = on");

        var refusal = await Assert.ThrowsAsync<CommandFailure>(() => database.Runner.UpAsync());

        Assert.Equal(ExitCode.DatabaseUnsuitable, refusal.Code);
        Assert.Contains("read-only", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verify_lists_what_is_missing()
    {
        await using var database = await StartingDatabase.CreateMigratedAsync();
        await database.ExecuteAsync(
            """
            DROP INDEX idx_jobs_log_status;
            DROP POLICY "Service role can view job logs" ON jobs_log;
            GRANT EXECUTE ON FUNCTION update_installment_statuses() TO PUBLIC;
            """);

        var refusal = await Assert.ThrowsAsync<CommandFailure>(() => database.Runner.VerifyAsync());

        Assert.Equal(ExitCode.SchemaMismatch, refusal.Code);
        Assert.Contains("index public.idx_jobs_log_status is missing", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("Service role can view job logs is missing", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("anon must not execute", refusal.Message, StringComparison.Ordinal);
    }
}
