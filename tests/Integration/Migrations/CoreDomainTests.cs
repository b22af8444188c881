using Actors.Silo.CommandLine;
using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Migrations;

public sealed class CoreDomainTests
{
    [Theory]
    [InlineData("CREATE TABLE agencies (id INT PRIMARY KEY, name TEXT)", "agencies.id is of type integer", "uuid")]
    [InlineData("CREATE TABLE agencies (id UUID PRIMARY KEY)", "no column name", "text")]
    [InlineData("CREATE VIEW agencies AS SELECT 1 AS id", "agencies", "table")]
    [InlineData(
        "CREATE TABLE installments (id UUID, payment_plan_id UUID, amount NUMERIC, student_due_date TIMESTAMP, "
        + "status TEXT)",
        "student_due_date is of type timestamp without time zone",
        "date")]
    [InlineData(
        "CREATE TYPE s AS ENUM ('pending', 'paid'); CREATE TABLE installments (id UUID, payment_plan_id UUID, "
        + "amount NUMERIC, student_due_date DATE, status s)",
        "lacks one of the values pending, overdue",
        "ALTER TYPE")]
    public async Task A_table_that_does_not_fit_is_named_with_what_was_found_and_expected(
        string before, string found, string expected)
    {
        await using var database = await StartingDatabase.CreateAsync();
        await database.ExecuteAsync(before);
        var schema = await database.DumpSchemaAsync();

        var refusal = await Assert.ThrowsAsync<CommandFailure>(() => database.Runner.UpAsync());

        Assert.Equal(ExitCode.DatabaseUnsuitable, refusal.Code);
        Assert.Contains(found, refusal.Message, StringComparison.Ordinal);
        Assert.Contains(expected, refusal.Message, StringComparison.Ordinal);
        Assert.Equal(schema, await database.DumpSchemaAsync());
    }

    [Fact]
    public async Task An_index_that_does_the_same_already_is_enough()
    {
        await using var database = await StartingDatabase.CreateMigratedAsync("core_tables_with_enum_status");

        Assert.Equal(
            "idx_installments_payment_plan_id, idx_payment_plans_agency_id, installments_pending",
            await database.AskAsync<string>(
                """
                SELECT string_agg(indexname, ', ' ORDER BY indexname) FROM pg_indexes
                WHERE tablename IN ('installments', 'payment_plans') AND indexname IN (
                  'idx_installments_payment_plan_id', 'idx_payment_plans_agency_id', 'idx_installments_pending_due',
                  'installments_pending')
                """));
    }

    [Fact]
    public async Task Defect_8_marking_an_agency_walks_the_index_and_not_the_table()
    {
        await using var database = await StartingDatabase.CreateMigratedAsync();
        await database.ExecuteAsync(
            """
            INSERT INTO agencies (id, name)
            SELECT md5('a' || a)::uuid, a FROM generate_series(1, 100) AS a;
            INSERT INTO payment_plans (id, agency_id)
            SELECT md5('p' || p)::uuid, md5('a' || 1 + p % 100)::uuid FROM generate_series(1, 10000) AS p;
            INSERT INTO installments (payment_plan_id, amount, student_due_date, status)
            SELECT md5('p' || p)::uuid, 100, DATE '2024-01-01' + 30 * n, CASE WHEN n < 9 THEN 'paid' ELSE 'pending' END
            FROM generate_series(1, 10000) AS p CROSS JOIN generate_series(1, 12) AS n;
            """);
        await database.ExecuteAsync("VACUUM ANALYZE agencies, payment_plans, installments");
        await using var explain = database.Source.CreateCommand(
            """
            EXPLAIN UPDATE installments AS i SET status = 'overdue'
            FROM payment_plans AS p
            WHERE i.payment_plan_id = p.id AND p.agency_id = md5('a7')::uuid AND p.status = 'active'
              AND i.status = 'pending' AND i.student_due_date <= DATE '2024-11-01'
            """);

        var plan = new List<string>();
        await using (var reader = await explain.ExecuteReaderAsync())
        {
            while (await reader.ReadAsync()) plan.Add(reader.GetString(0));
        }

        Assert.Contains(plan, line => line.Contains("idx_installments_pending_due", StringComparison.Ordinal));
        Assert.Contains(plan, line => line.Contains("idx_payment_plans_agency_id", StringComparison.Ordinal));
        Assert.DoesNotContain(plan, line => line.Contains("Seq Scan", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_caller_is_read_from_either_claim_setting_and_nobody_is_NULL()
    {
        await using var database = await StartingDatabase.CreateMigratedAsync();
        await using var connection = await database.Source.OpenConnectionAsync();
        var id = Guid.NewGuid();

        Assert.Equal(DBNull.Value, await UidAsync(connection, "", ""));
        Assert.Equal(DBNull.Value, await UidAsync(connection, "", """{"role":"anon"}"""));
        Assert.Equal(id, await UidAsync(connection, id.ToString(), ""));
        Assert.Equal(id, await UidAsync(connection, "", $$"""{"sub":"{{id}}"}"""));
    }

    [Fact]
    public async Task Where_row_level_security_is_on_service_role_still_sees_and_marks()
    {
        await using var database = await StartingDatabase.CreateMigratedAsync("core_tables_with_enum_status");
        var login = await database.MakeLoginAsync("", "service_role");
        try
        {
            await using var source = NpgsqlDataSource.Create(database.ConnectionStringAs(login));
            await using var mark = source.CreateCommand(
                "UPDATE installments SET status = 'overdue' WHERE status = 'pending'");

            Assert.Equal(1, await mark.ExecuteNonQueryAsync());

            await using var pay = source.CreateCommand("UPDATE installments SET amount = 0");
            var refusal = await Assert.ThrowsAsync<PostgresException>(() => pay.ExecuteNonQueryAsync());
            Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refusal.SqlState);
        }
        finally
        {
            await database.DropLoginAsync(login);
        }
    }

    private static async Task<object?> UidAsync(NpgsqlConnection connection, string sub, string claims)
    {
        await using var command = new NpgsqlCommand(
            "SELECT auth.uid() FROM (SELECT set_config('request.jwt.claim.sub', $1, false), "
            + "set_config('request.jwt.claims', $2, false) OFFSET 0) AS caller",
            connection)
        {
            Parameters = { new() { Value = sub }, new() { Value = claims } },
        };
        await command.ExecuteNonQueryAsync();
        return await command.ExecuteScalarAsync();
    }
}
