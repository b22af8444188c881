using Actors.Silo.Migrations;
using NodaTime;

namespace Actors.Tests.Unit.Migrations;

/// <summary>Catalogues and histories whose content does not matter.</summary>
internal static class MadeUpMigrations
{
    /// <summary>
    /// A catalogue of the given versions, such as "001/001"; the text of each file names its version.
    /// </summary>
    public static MigrationCatalogue Catalogue(params string[] versions) =>
        MigrationCatalogue.From(Files(versions));

    public static List<SqlFile> Files(params string[] versions) =>
    [
        .. versions.SelectMany(version => new[]
        {
            new SqlFile(PathOf(version, "up.sql"), $"-- {version}"),
            new SqlFile(PathOf(version, "up.down.sql"), ""),
        }),
        .. versions.Select(version => version[..3]).Distinct()
            .Select(domain => new SqlFile($"sql/{domain}_made_up/verify.sql", "")),
    ];

    /// <summary>The history after these were applied, in the order given, as the catalogue carries them.</summary>
    public static List<AppliedMigration> Applied(MigrationCatalogue catalogue, params string[] versions) =>
    [
        .. versions.Select((version, place) =>
        {
            var id = MigrationId.TryParse(version)!.Value;
            var checksum = catalogue.Find(id)?.Checksum ?? new string('0', 64);
            return new AppliedMigration(id, place + 1, "made_up/up", checksum, Instant.FromUtc(2024, 1, 2, 3, 4));
        }),
    ];

    private static string PathOf(string version, string ending) =>
        $"sql/{version[..3]}_made_up/{version[4..]}_{ending}";
}
