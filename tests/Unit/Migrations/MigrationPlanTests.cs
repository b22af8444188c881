using Actors.Silo.CommandLine;
using Actors.Silo.Migrations;
using Xunit;

namespace Actors.Tests.Unit.Migrations;

public sealed class MigrationPlanTests
{
    private static readonly MigrationCatalogue Catalogue =
        MadeUpMigrations.Catalogue("001/001", "001/002", "002/001", "004/001", "004/002");

    [Fact]
    public void A_new_database_gets_everything_in_order()
    {
        var plan = new MigrationPlan(Catalogue, []);

        Assert.Equal(["001/001", "001/002", "002/001", "004/001", "004/002"], Ids(plan.Up(null)));
        Assert.Contains("is behind", plan.SchemaProblem, StringComparison.Ordinal);
        Assert.Contains("./actors migrate up", plan.SchemaProblem, StringComparison.Ordinal);
        Assert.Null(plan.HistoryProblem);
    }

    [Theory]
    [InlineData("001", "001/001 001/002")]
    [InlineData("004/001", "001/001 001/002 002/001 004/001")]
    [InlineData("0", "")]
    public void Up_stops_at_its_target(string to, string expected) =>
        Assert.Equal(expected, string.Join(' ', Ids(new MigrationPlan(Catalogue, []).Up(Target(to)))));

    [Theory]
    [InlineData(null, "004/002")]
    [InlineData("004/001", "004/002")]
    [InlineData("001", "004/002 004/001 002/001")]
    [InlineData("0", "004/002 004/001 002/001 001/002 001/001")]
    [InlineData("004", "")]
    public void Down_takes_back_one_or_all_after_its_target_last_applied_first(string? to, string expected)
    {
        var plan = Plan("001/001", "001/002", "002/001", "004/001", "004/002");

        Assert.Equal(expected, string.Join(' ', Ids(plan.Down(to is null ? null : Target(to)))));
        Assert.Null(plan.SchemaProblem);
    }

    [Fact]
    public void A_domain_may_grow_after_a_later_one_was_applied_and_goes_down_in_the_order_of_application()
    {
        Assert.Equal(["001/002"], Ids(Plan("001/001", "002/001", "004/001", "004/002").Up(null)));
        Assert.Equal(
            ["001/002", "002/001"], Ids(Plan("001/001", "002/001", "001/002").Down(new MigrationId(1, 1))));
    }

    [Fact]
    public void A_database_that_is_ahead_is_refused_with_advice()
    {
        var plan = Plan("001/001", "001/002", "002/001", "004/001", "004/002", "005/001");

        var refusal = Assert.Throws<CommandFailure>(() => plan.Up(null));

        Assert.Equal(ExitCode.SchemaMismatch, refusal.Code);
        Assert.Contains("005/001", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("run a newer version", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(refusal.Message, Assert.Throws<CommandFailure>(() => plan.Down(null)).Message);
    }

    [Fact]
    public void An_edited_migration_is_refused_with_advice()
    {
        var history = MadeUpMigrations.Applied(Catalogue, "001/001");
        history[0] = history[0] with { Checksum = new string('a', 64) };

        var refusal = Assert.Throws<CommandFailure>(() => new MigrationPlan(Catalogue, history).Up(null));

        Assert.Contains("sql/001_made_up/001_up.sql", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("2024-01-02 03:04:00Z", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_history_with_a_row_missing_is_refused()
    {
        var plan = Plan("001/002");

        Assert.Equal(MigrationState.Missing, plan.Standings[0].State);
        Assert.Throws<CommandFailure>(() => plan.Up(null));
    }

    [Fact]
    public void Only_domains_that_are_applied_in_full_can_be_verified() => Assert.Equal(
        ["sql/001_made_up/verify.sql", "sql/002_made_up/verify.sql"],
        Plan("001/001", "001/002", "002/001", "004/001").Verifiable().Select(file => file.Path));

    [Theory]
    [InlineData("003")]
    [InlineData("4")]
    [InlineData("004/009")]
    [InlineData("latest")]
    public void A_target_that_does_not_exist_is_refused_with_those_that_do(string to)
    {
        var refusal = Assert.Throws<CommandFailure>(() => Target(to));

        Assert.Equal(ExitCode.Usage, refusal.Code);
        Assert.Contains("004/002", refusal.Message, StringComparison.Ordinal);
    }

    private static MigrationPlan Plan(params string[] applied) =>
        new(Catalogue, MadeUpMigrations.Applied(Catalogue, applied));

    private static MigrationId Target(string text) => MigrationPlan.ReadTarget(text, Catalogue);

    private static IEnumerable<string> Ids(IEnumerable<Migration> migrations) =>
        migrations.Select(migration => migration.Id.ToString());
}
