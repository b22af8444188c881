using System.Security.Cryptography;
using System.Text;

namespace Actors.Silo.Migrations;

/// <summary>A file of SQL: its path in the repository, such as <c>sql/002_access_domain/001_api_keys.sql</c>.</summary>
public sealed record SqlFile(string Path, string Text);

/// <summary>One step of the schema, up and down.</summary>
/// <param name="Id">Its place.</param>
/// <param name="Domain">The folder, such as <c>002_access_domain</c>.</param>
/// <param name="Name">What it makes, such as <c>api_keys</c>.</param>
/// <param name="Up">The file that applies it.</param>
/// <param name="Down">The file that takes it back.</param>
public sealed record Migration(MigrationId Id, string Domain, string Name, SqlFile Up, SqlFile Down)
{
    /// <summary>
    /// SHA-256 of the up file in UTF-8, 64 lower-case hexadecimal digits. Line endings count as LF, so that a checkout
    /// on another system has the same one. The down file may be corrected later; it is not in it.
    /// </summary>
    public string Checksum { get; } = ChecksumOf(Up.Text);

    private static string ChecksumOf(string text) => Convert.ToHexStringLower(
        SHA256.HashData(Encoding.UTF8.GetBytes(text.ReplaceLineEndings("\n").TrimStart('\uFEFF'))));
}

/// <summary>A row of <c>actors.schema_migrations</c>: a migration that is applied.</summary>
/// <param name="Id">Which.</param>
/// <param name="Sequence">The order in which migrations were applied; only its order means something.</param>
/// <param name="Name">Domain and name at that time, such as <c>002_access_domain/api_keys</c>.</param>
/// <param name="Checksum">Of the up file that was run; see <see cref="Migration.Checksum"/>.</param>
/// <param name="AppliedAt">By the database's clock.</param>
public sealed record AppliedMigration(
    MigrationId Id, long Sequence, string Name, string Checksum, NodaTime.Instant AppliedAt);
