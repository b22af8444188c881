using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;

namespace Actors.Silo.Migrations;

/// <summary>
/// All migrations that this version carries, in the order of a new database: by domain, then by number. Files are
/// named <c>sql/NNN_domain/NNN_what.sql</c>, each with <c>NNN_what.down.sql</c>; each domain has a <c>verify.sql</c>.
/// </summary>
public sealed partial class MigrationCatalogue
{
    private MigrationCatalogue(IReadOnlyList<Migration> migrations, IReadOnlyDictionary<int, SqlFile> verifications) =>
        (Migrations, Verifications) = (migrations, verifications);

    /// <summary>Ordered, without gaps inside a domain.</summary>
    public IReadOnlyList<Migration> Migrations { get; }

    /// <summary>The verify.sql of each domain, by the domain's number.</summary>
    public IReadOnlyDictionary<int, SqlFile> Verifications { get; }

    /// <summary>The migrations that are embedded in the silo's assembly.</summary>
    public static MigrationCatalogue Embedded { get; } = FromAssembly(typeof(MigrationCatalogue).Assembly);

    public Migration? Find(MigrationId id) => Migrations.FirstOrDefault(migration => migration.Id == id);

    /// <summary>Builds a catalogue from files; the order in which they are given does not matter.</summary>
    /// <exception cref="ArgumentException">The files do not make up a catalogue; the message names the
    /// file.</exception>
    public static MigrationCatalogue From(IEnumerable<SqlFile> files)
    {
        var parsed = files.Select(file => (File: file, Match: MigrationPath().Match(file.Path))).ToList();
        if (parsed.Find(entry => !entry.Match.Success).File is { } stray)
            throw new ArgumentException(
                $"{stray.Path} is no migration: name it sql/NNN_domain/NNN_what.sql, NNN_what.down.sql or verify.sql.");

        var downs = parsed.Where(entry => entry.Match.Groups["down"].Success)
            .ToDictionary(entry => entry.File.Path, entry => entry.File);
        var verifications = parsed.Where(entry => !entry.Match.Groups["number"].Success)
            .ToDictionary(entry => NumberIn(entry.Match, "domain"), entry => entry.File);
        var migrations = parsed
            .Where(entry => entry.Match.Groups["number"].Success && !entry.Match.Groups["down"].Success)
            .Select(entry => MigrationFrom(entry.File, entry.Match, downs))
            .OrderBy(migration => migration.Id)
            .ToList();
        Check(migrations, downs.Values, verifications);
        return new MigrationCatalogue(migrations, verifications);
    }

    private static MigrationCatalogue FromAssembly(Assembly assembly) => From(
        assembly.GetManifestResourceNames()
            .Select(name => (Name: name, Path: name.Replace('\\', '/')))
            .Where(resource => resource.Path.StartsWith("sql/", StringComparison.Ordinal))
            .Select(resource => new SqlFile(resource.Path, EmbeddedSql.Read(assembly, resource.Name))));

    private static Migration MigrationFrom(SqlFile up, Match match, Dictionary<string, SqlFile> downs)
    {
        var downPath = up.Path[..^".sql".Length] + ".down.sql";
        if (!downs.Remove(downPath, out var down))
            throw new ArgumentException($"{up.Path} cannot be taken back: write {downPath}.");

        var id = new MigrationId(NumberIn(match, "domain"), NumberIn(match, "number"));
        return new Migration(id, match.Groups["folder"].Value, match.Groups["name"].Value, up, down);
    }

    private static void Check(
        List<Migration> migrations, IEnumerable<SqlFile> downsLeft, Dictionary<int, SqlFile> verifications)
    {
        if (downsLeft.FirstOrDefault() is { } orphan)
            throw new ArgumentException($"{orphan.Path} takes back a migration that does not exist.");

        foreach (var domain in migrations.GroupBy(migration => migration.Id.Domain))
        {
            var members = domain.ToList();
            var expected = Enumerable.Range(1, members.Count).Select(number => new MigrationId(domain.Key, number));
            if (!members.Select(member => member.Id).SequenceEqual(expected))
                throw new ArgumentException(
                    $"Domain {members[0].Domain} must count 001, 002, … without a gap or a repeat; it has "
                    + string.Join(", ", members.Select(member => member.Up.Path)) + ".");
            if (members.Find(member => member.Domain != members[0].Domain) is { } other)
                throw new ArgumentException($"{other.Domain} and {members[0].Domain} are two domains of one number.");
            if (!verifications.ContainsKey(domain.Key))
                throw new ArgumentException($"Domain {members[0].Domain} has no verify.sql: write one that raises.");
        }
    }

    private static int NumberIn(Match match, string group) =>
        int.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^sql/(?<folder>(?<domain>\d{3})_[a-z0-9_]+)/"
        + @"(?:(?<number>\d{3})_(?<name>[a-z0-9_]+)(?<down>\.down)?|verify)\.sql$")]
    private static partial Regex MigrationPath();
}
