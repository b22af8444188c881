using Actors.Silo.Migrations;
using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Migrations;

/// <summary>What 005/001 finds, makes and leaves behind. Who may then do what: the tests of Access.</summary>
public sealed class CallersTests
{
    private static readonly MigrationId Before = new(4, 4);

    [Theory]
    [InlineData(StartingDatabase.Empty, "agencies, installments, payment_plans")]
    [InlineData("core_tables_with_text_status", "")]
    [InlineData("core_tables_with_enum_status", "installments")]
    [InlineData("some_columns_already_there", "installments, payment_plans")]
    [InlineData("the_original_applied", "")]
    public async Task Row_level_security_is_on_where_a_migration_made_the_table_or_it_was_on_before(
        string start, string secured)
    {
        await using var database = await StartingDatabase.CreateMigratedAsync(start);

        Assert.Equal(
            secured,
            await database.AskAsync<string>(
                """
                SELECT coalesce(string_agg(relname, ', ' ORDER BY relname), '') FROM pg_class
                WHERE oid = ANY ('{agencies,payment_plans,installments}'::regclass[]) AND relrowsecurity
                """));
        Assert.Equal(
            secured,
            await database.AskAsync<string>(
                """
                SELECT coalesce(string_agg(name, ', ' ORDER BY name), '')
                FROM unnest('{agencies,payment_plans,installments}'::text[]) AS name
                WHERE has_table_privilege('authenticated', name, 'SELECT')
                """));
    }

    [Fact]
    public async Task A_table_that_is_open_to_all_or_closed_to_admins_is_named_with_what_to_run()
    {
        await using var database = await StartingDatabase.CreateAsync("core_tables_with_text_status");
        await database.ExecuteAsync("GRANT SELECT ON payment_plans TO authenticated");

        var callers = (await database.Runner.UpAsync())
            .Single(result => result.Migration.Id == new MigrationId(5, 1));

        Assert.Equal(3, callers.Warnings.Count);
        Assert.StartsWith(
            "row-level security is off for table agencies, so it is closed to users with a token, admins too;",
            callers.Warnings[0], StringComparison.Ordinal);
        Assert.StartsWith(
            "row-level security is off for table payment_plans: whoever has a token can read all of it, as before;",
            callers.Warnings[1], StringComparison.Ordinal);

        // What the warnings advise is what it takes.
        foreach (var advice in callers.Warnings)
            await database.ExecuteAsync(advice[advice.IndexOf("ALTER TABLE", StringComparison.Ordinal)..]);
        Assert.True(await database.AskAsync<bool>(
            """
            SELECT bool_and(c.relrowsecurity AND has_table_privilege('authenticated', c.oid, 'SELECT'))
              AND has_column_privilege('authenticated', 'agencies', 'timezone', 'UPDATE')
            FROM pg_class AS c WHERE c.oid = ANY ('{agencies,payment_plans,installments}'::regclass[])
            """));
    }

    [Fact]
    public async Task Roles_that_will_see_no_row_any_more_are_named()
    {
        await using var database = await StartingDatabase.CreateAsync();
        await database.Runner.UpAsync(Before);
        var login = await database.MakeLoginAsync();
        try
        {
            await database.ExecuteAsync(
                $"GRANT SELECT ON agencies TO {login}; GRANT SELECT ON payment_plans TO PUBLIC");
            var before = await database.DumpSchemaAsync();

            var callers = Assert.Single(await database.Runner.UpAsync(new MigrationId(5, 1)));

            Assert.Equal(
                [$"row-level security is on for table agencies from now on: {login} will see none of its rows "
                    + "without a policy"],
                callers.Warnings);
            Assert.False(await database.AskAsync<bool>(
                "SELECT has_table_privilege('anon', 'payment_plans', 'SELECT')"));
            await database.Runner.DownAsync(Before);
            Assert.Equal(before, await database.DumpSchemaAsync());
        }
        finally
        {
            await database.DropLoginAsync(login);
        }
    }

    [Fact]
    public async Task Where_the_platform_grants_all_that_is_new_to_anon_it_has_nothing_of_ours()
    {
        await using var database = await StartingDatabase.CreateAsync();
        await database.ExecuteAsync(
            """
            ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO anon, authenticated, service_role;
            ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON FUNCTIONS TO anon, authenticated, service_role;
            """);
        var before = await database.DumpSchemaAsync();

        await database.Runner.UpAsync();
        await database.Runner.VerifyAsync();

        Assert.Equal(
            "",
            await database.AskAsync<string>(
                """
                SELECT coalesce(string_agg(relname, ', ' ORDER BY relname), '') FROM pg_class
                WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
                  AND (has_any_column_privilege('anon', oid, 'SELECT, INSERT, UPDATE, REFERENCES')
                    OR has_table_privilege('anon', oid, 'DELETE, TRUNCATE, TRIGGER')
                    OR has_table_privilege('authenticated', oid, 'DELETE, TRUNCATE, TRIGGER'))
                """));
        await database.Runner.DownAsync(MigrationId.None);
        Assert.Equal(before, await database.DumpSchemaAsync());
    }

    [Fact]
    public async Task Where_the_applications_own_policies_show_users_their_rows_these_go_on_and_admins_see_all()
    {
        await using var database = await StartingDatabase.CreateAsync("core_tables_with_text_status");
        var (admin, user) = (Guid.NewGuid(), Guid.NewGuid());
        await database.ExecuteAsync(
            $"""
            CREATE TABLE user_roles (user_id UUID, role TEXT);
            INSERT INTO user_roles VALUES ('{admin}', 'admin');
            INSERT INTO agencies VALUES ('00000000-0000-0000-0000-000000000002', 'Two');
            GRANT SELECT, INSERT, UPDATE, DELETE ON agencies TO anon, authenticated;
            ALTER TABLE agencies ENABLE ROW LEVEL SECURITY;
            CREATE POLICY "Own agency" ON agencies FOR SELECT TO authenticated
              USING (id = (current_setting('request.jwt.claims', true)::jsonb ->> 'agency')::uuid);
            """);
        var before = await database.DumpSchemaAsync();

        await database.Runner.UpAsync();
        await database.Runner.VerifyAsync();

        var own = "00000000-0000-0000-0000-000000000001";
        Assert.Equal("One", await NamesAsync(database, "authenticated", $$"""{"sub":"{{user}}","agency":"{{own}}"}"""));
        Assert.Equal("One, Two", await NamesAsync(database, "authenticated", $$"""{"sub":"{{admin}}"}"""));
        Assert.Equal("One, Two", await NamesAsync(database, "actors_reader", "{}"));
        await database.Runner.DownAsync(MigrationId.None);
        Assert.Equal(before, await database.DumpSchemaAsync());
    }

    [Fact]
    public async Task Going_back_leaves_the_newest_of_the_keys_that_share_a_name_and_says_so()
    {
        await using var database = await StartingDatabase.CreateAsync();
        await database.Runner.UpAsync(new MigrationId(5, 1));
        await database.ExecuteAsync(
            """
            INSERT INTO api_keys (name, key_hash, created_at, expires_at, revoked_at) VALUES
              ('cron', sha256('oldest'), '2024-01-01Z', NULL, NULL),
              ('cron', sha256('newest'), '2024-01-03Z', NULL, NULL),
              ('cron', sha256('middle'), '2024-01-02Z', NULL, NULL),
              ('cron', sha256('gone'), '2024-01-04Z', NULL, now()),
              ('import', sha256('expired'), '2024-01-01Z', '2024-02-01Z', NULL),
              ('import', sha256('live'), '2024-01-02Z', NULL, NULL),
              ('alone', sha256('alone'), '2024-01-01Z', NULL, NULL);
            """);

        var down = await database.Runner.DownAsync(Before);

        Assert.Equal(
            ["of the live API keys named \"cron\" all but the newest were revoked: from here on a name has one"],
            down.SelectMany(result => result.Warnings));
        Assert.Equal(
            "alone, live, newest",
            await database.AskAsync<string>(
                """
                SELECT string_agg(word, ', ' ORDER BY word)
                FROM unnest('{oldest,newest,middle,gone,expired,live,alone}'::text[]) AS word
                WHERE EXISTS (SELECT FROM api_keys WHERE key_hash = sha256(word::bytea) AND revoked_at IS NULL)
                """));
    }

    [Fact]
    public async Task The_login_that_migrates_may_act_as_every_caller()
    {
        await using var database = await StartingDatabase.CreateMigratedAsync();
        await using var connection = await database.Source.OpenConnectionAsync();
        foreach (var role in (string[])
            ["actors_trigger", "actors_reader", "actors_admin", "authenticated", "service_role"])
        {
            await using var become = new NpgsqlCommand($"SET ROLE {role}", connection);
            await become.ExecuteNonQueryAsync();
        }
    }

    [Fact]
    public async Task A_login_whose_name_needs_quotes_or_has_dots_can_be_a_member_and_is_taken_out_again()
    {
        await using var database = await StartingDatabase.CreateMigratedAsync();
        var login = $"odd.name \"{Guid.NewGuid():N}\"";
        var quoted = $"\"{login.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
        await database.ExecuteAsync($"CREATE ROLE {quoted}");
        var isMember = $"SELECT pg_has_role('{login}', 'actors_reader', 'MEMBER')";

        await database.ExecuteAsync($"SELECT actors.grant_membership('actors_reader', '{login}')");
        Assert.True(await database.AskAsync<bool>(isMember));

        // actors_reader itself may be in use by another test's database: then it would be left.
        var role = $"role_{Guid.NewGuid():N}";
        await database.ExecuteAsync($"CREATE ROLE {role}; SELECT actors.grant_membership('{role}', '{login}')");
        await database.ExecuteAsync(
            $"SET actors.migration = '005/001'; SELECT actors.put_back('membership', '{login}.{role}')");
        Assert.False(await database.AskAsync<bool>($"SELECT pg_has_role('{login}', '{role}', 'MEMBER')"));
        await database.ExecuteAsync($"DROP ROLE {quoted}; DROP ROLE {role}");
    }

    private static async Task<string> NamesAsync(StartingDatabase database, string role, string claims)
    {
        await using var connection = await database.Source.OpenConnectionAsync();
        await using var become = new NpgsqlCommand(
            $"SET ROLE {role}; SELECT set_config('request.jwt.claims', '{claims}', false)", connection);
        await become.ExecuteNonQueryAsync();
        await using var names = new NpgsqlCommand(
            "SELECT coalesce(string_agg(name, ', ' ORDER BY name), '') FROM agencies", connection);
        return (string)(await names.ExecuteScalarAsync())!;
    }
}
