using Actors.Silo.CommandLine;
using Actors.Silo.Import;
using Xunit;
using static Actors.Tests.Integration.Import.ImportDatabase;

namespace Actors.Tests.Integration.Import;

/// <summary>What the database itself refuses is said in words that tell what to do, and nothing is imported.</summary>
public sealed class RefusedImportTests
{
    private const string PlanHeader = "id,agency_id,status\n";
    private const string InstallmentHeader = "id,payment_plan_id,amount,student_due_date,status\n";

    [Fact]
    public async Task A_column_that_the_file_cannot_fill_is_named()
    {
        await using var database = await ImportDatabase.CreateWithPlanAsync();
        await database.ExecuteAsync("ALTER TABLE installments ADD installment_number int NOT NULL");
        Assert.StartsWith(
            "Column installment_number of installments must not be empty and has no default,",
            await database.FailToImportAsync(ImportKind.Installments,
                InstallmentHeader + $"{Id('c', 1)},{Id('b', 1)},1,,paid\n", ExitCode.DatabaseUnsuitable),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_constraint_of_the_database_is_named()
    {
        await using var database = await ImportDatabase.CreateWithPlanAsync();
        await database.ExecuteAsync("ALTER TABLE installments ADD CONSTRAINT never_free CHECK (amount > 0)");
        Assert.Contains(
            "violates check constraint \"never_free\"",
            await database.FailToImportAsync(
                ImportKind.Installments, InstallmentHeader + $"{Id('c', 1)},{Id('b', 1)},0,,paid\n"),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_right_a_read_only_database_and_an_old_schema_have_codes_of_their_own()
    {
        await using var database = await ImportDatabase.CreateWithPlanAsync();
        var file = PlanHeader + $"{Id('b', 2)},{Id('a', 1)},active\n";
        await database.ExecuteAsync("REVOKE INSERT ON payment_plans FROM current_user");
        Assert.StartsWith(
            "The database login may not import into public.payment_plans: permission denied",
            await database.FailToImportAsync(ImportKind.Plans, file, ExitCode.MissingRights), StringComparison.Ordinal);
        await database.ExecuteAsync("GRANT INSERT ON payment_plans TO current_user");
        await database.ExecuteAsync(
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', "
            + "current_database()); END $$");
        Assert.StartsWith(
            "The database is read-only",
            await database.FailToImportAsync(ImportKind.Plans, file, ExitCode.DatabaseUnsuitable),
            StringComparison.Ordinal);
        await database.ExecuteAsync(
            "SET transaction_read_only = off; ALTER TABLE payment_plans RENAME status TO state");
        Assert.StartsWith(
            "The database has no column status in public.payment_plans; bring it up to date with: ./actors migrate up",
            (await Assert.ThrowsAsync<CommandFailure>(() => database.ImportAsync(ImportKind.Plans, file))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rows_that_a_policy_would_hide_are_not_reported_as_unknown()
    {
        await using var database = await ImportDatabase.CreateWithPlanAsync();
        await database.ExecuteAsync(
            "ALTER TABLE agencies ENABLE ROW LEVEL SECURITY; ALTER TABLE agencies FORCE ROW LEVEL SECURITY");
        Assert.Contains(
            "row-level security",
            (await Assert.ThrowsAsync<CommandFailure>(() => database.ImportAsync(
                ImportKind.Plans, PlanHeader + $"{Id('b', 2)},{Id('a', 1)},active\n"))).Message,
            StringComparison.Ordinal);
    }
}
