using Actors.Silo.Migrations;
using Xunit;

namespace Actors.Tests.Unit.Migrations;

public sealed class MigrationCatalogueTests
{
    [Fact]
    public void Migrations_are_ordered_by_domain_and_then_by_number()
    {
        var catalogue = MadeUpMigrations.Catalogue("010/001", "002/002", "001/001", "002/001");

        Assert.Equal(
            ["001/001", "002/001", "002/002", "010/001"],
            catalogue.Migrations.Select(migration => migration.Id.ToString()));
    }

    [Fact]
    public void What_the_silo_carries_is_a_catalogue()
    {
        var domains = MigrationCatalogue.Embedded.Migrations.Select(migration => migration.Domain).Distinct();

        Assert.Superset(
            new HashSet<string> { "001_core_domain", "002_access_domain", "004_notifications_domain" },
            domains.ToHashSet());
    }

    [Fact]
    public void A_checksum_does_not_depend_on_line_endings_or_a_byte_order_mark()
    {
        Assert.Equal(ChecksumOf("SELECT 1;\nSELECT 2;\n"), ChecksumOf("\uFEFFSELECT 1;\r\nSELECT 2;\r\n"));
        Assert.NotEqual(ChecksumOf("SELECT 1;"), ChecksumOf("SELECT  1;"));
    }

    [Theory]
    [InlineData("sql/001_made_up/1_up.sql", "is no migration")]
    [InlineData("sql/001_made_up/002_only.sql", "cannot be taken back: write sql/001_made_up/002_only.down.sql")]
    [InlineData("sql/001_made_up/002_only.down.sql", "takes back a migration that does not exist")]
    public void A_stray_file_is_named(string path, string complaint)
    {
        var files = MadeUpMigrations.Files("001/001");
        files.Add(new SqlFile(path, ""));

        var error = Assert.Throws<ArgumentException>(() => MigrationCatalogue.From(files));

        Assert.Contains(path, error.Message, StringComparison.Ordinal);
        Assert.Contains(complaint, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_gap_within_a_domain_is_refused() =>
        Assert.Throws<ArgumentException>(() => MadeUpMigrations.Catalogue("001/001", "001/003"));

    [Fact]
    public void A_domain_without_verification_is_refused()
    {
        var files = MadeUpMigrations.Files("001/001");
        files.RemoveAll(file => file.Path.EndsWith("verify.sql", StringComparison.Ordinal));

        var error = Assert.Throws<ArgumentException>(() => MigrationCatalogue.From(files));

        Assert.Contains("no verify.sql", error.Message, StringComparison.Ordinal);
    }

    private static string ChecksumOf(string text) =>
        new Migration(new MigrationId(1, 1), "", "", new SqlFile("", text), new SqlFile("", "")).Checksum;
}
