using Actors.Silo.CommandLine;
using Actors.Silo.Migrations;
using Xunit;

namespace Actors.Tests.Integration.Migrations;

/// <summary>Down undoes what up did and nothing else, whatever was there before.</summary>
public sealed class UpAndDownTests
{
    public static TheoryData<string> Starts { get; } =
    [
        StartingDatabase.Empty, "core_tables_with_text_status", "core_tables_with_enum_status",
        "some_columns_already_there", "the_original_applied",
    ];

    [Theory]
    [MemberData(nameof(Starts))]
    public async Task Up_and_down_leave_schema_and_rows_as_they_were(string start)
    {
        await using var database = await StartingDatabase.CreateAsync(start);
        var (schema, rows) = (await database.DumpSchemaAsync(), await database.DumpRowsAsync());

        var up = await database.Runner.UpAsync();
        var verified = await database.Runner.VerifyAsync();
        await database.Runner.RequireCurrentAsync();
        var down = await database.Runner.DownAsync(MigrationId.None);

        Assert.Equal(MigrationCatalogue.Embedded.Migrations, up.Select(result => result.Migration));
        Assert.Equal(MigrationCatalogue.Embedded.Migrations, down.Select(result => result.Migration).Reverse());
        Assert.Equal(MigrationCatalogue.Embedded.Verifications.Count, verified.Count);
        Assert.Equal(schema, await database.DumpSchemaAsync());
        Assert.Equal(rows, await database.DumpRowsAsync());
    }

    [Theory]
    [MemberData(nameof(Starts))]
    public async Task Every_version_can_be_walked_up_and_down_one_by_one_twice(string start)
    {
        await using var database = await StartingDatabase.CreateAsync(start);
        var schemas = new List<string> { await database.DumpSchemaAsync() };
        foreach (var migration in MigrationCatalogue.Embedded.Migrations)
        {
            await database.Runner.UpAsync(migration.Id);
            schemas.Add(await database.DumpSchemaAsync());
        }

        for (var round = 1; round <= 2; round++)
        {
            for (var left = schemas.Count - 2; left >= 0; left--)
            {
                Assert.Single(await database.Runner.DownAsync());
                Assert.Equal(schemas[left], await database.DumpSchemaAsync());
            }

            foreach (var migration in MigrationCatalogue.Embedded.Migrations)
                Assert.Equal(migration, Assert.Single(await database.Runner.UpAsync(migration.Id)).Migration);
            Assert.Equal(schemas[^1], await database.DumpSchemaAsync());
        }
    }

    [Fact]
    public async Task Defect_11_down_keeps_a_column_that_was_there_before()
    {
        await using var database = await StartingDatabase.CreateMigratedAsync("some_columns_already_there");

        await database.Runner.DownAsync(MigrationId.None);

        Assert.Equal(
            "Europe/Kyiv",
            await database.AskAsync<string>("SELECT timezone FROM agencies WHERE name = 'One'"));
        Assert.Equal(
            "name, id, timezone, overdue_cutoff_time",
            await database.AskAsync<string>(
                """
                SELECT string_agg(attname, ', ' ORDER BY attname = 'name' DESC, attnum) FROM pg_attribute
                WHERE attrelid = 'agencies'::regclass AND attnum > 0 AND NOT attisdropped
                """));
    }

    [Fact]
    public async Task Down_stops_where_rows_written_since_break_a_constraint_that_was_there_before()
    {
        await using var database = await StartingDatabase.CreateMigratedAsync("the_original_applied");
        await database.ExecuteAsync(
            "INSERT INTO supported_timezones (name) VALUES ('Europe/Vienna'); "
            + "UPDATE agencies SET timezone = 'Europe/Vienna'");
        await database.Runner.DownAsync(new MigrationId(4, 1));
        var schema = await database.DumpSchemaAsync();

        var refusal = await Assert.ThrowsAsync<CommandFailure>(() => database.Runner.DownAsync());

        Assert.Contains("agencies_timezone_check", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("Change them", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(schema, await database.DumpSchemaAsync());
    }

    [Fact]
    public async Task A_role_that_another_database_uses_is_left_with_a_warning()
    {
        await using var database = await StartingDatabase.CreateMigratedAsync();
        await using var other = await StartingDatabase.CreateAsync();
        var role = $"role_{Guid.NewGuid():N}";
        await database.ExecuteAsync($"CREATE ROLE {role}");
        await other.ExecuteAsync($"GRANT USAGE ON SCHEMA public TO {role}");
        var takeAway = $"SET actors.migration = '001/001'; SELECT actors.put_back('role', '{role}')";

        await database.ExecuteAsync(takeAway);
        Assert.True(await database.AskAsync<bool>($"SELECT to_regrole('{role}') IS NOT NULL"));

        await other.ExecuteAsync($"REVOKE USAGE ON SCHEMA public FROM {role}");
        await database.ExecuteAsync(takeAway);
        Assert.False(await database.AskAsync<bool>($"SELECT to_regrole('{role}') IS NOT NULL"));
    }
}
