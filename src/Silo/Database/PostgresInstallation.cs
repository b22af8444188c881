using System.ComponentModel;
using System.Globalization;
using System.Text.RegularExpressions;
using Actors.Silo.CommandLine;

namespace Actors.Silo.Database;

/// <summary>The programs of one installed PostgreSQL: a folder that holds initdb, pg_ctl and postgres.</summary>
/// <param name="Folder">Absolute, with links resolved.</param>
/// <param name="Major">15, 16, …</param>
internal sealed partial record PostgresInstallation(string Folder, int Major)
{
    public const int OldestMajor = 15;

    public string InitDb => Path.Combine(Folder, "initdb");

    public string PgCtl => Path.Combine(Folder, "pg_ctl");

    /// <summary>
    /// All that are installed: on PATH, and in the folders of the distributions, most of which keep the server's
    /// programs off PATH. Newest first, those too old included.
    /// </summary>
    public static async Task<IReadOnlyList<PostgresInstallation>> FindAllAsync(CancellationToken cancellationToken)
    {
        var found = new List<PostgresInstallation>();
        foreach (var folder in Candidates().Distinct())
        {
            if (await MajorOfAsync(folder, cancellationToken) is { } major)
                found.Add(new PostgresInstallation(folder, major));
        }

        return [.. found.OrderByDescending(i => i.Major)];
    }

    /// <summary>The newest of all that we can work with, or null.</summary>
    public static PostgresInstallation? NewestUsable(IEnumerable<PostgresInstallation> installed) =>
        installed.FirstOrDefault(i => i.Major >= OldestMajor);

    /// <summary>The installation that can run an existing cluster: a cluster belongs to its major version.</summary>
    /// <exception cref="CommandFailure">It is not installed.</exception>
    public static async Task<PostgresInstallation> OfMajorAsync(
        int major, DataFolder folder, CancellationToken cancellationToken)
    {
        var installed = await FindAllAsync(cancellationToken);
        return installed.FirstOrDefault(i => i.Major == major) ?? throw new CommandFailure(
            ExitCode.DataFolderUnusable,
            $"The database in {folder.Path} was made by PostgreSQL {major}, which is not installed "
            + $"({Listed(installed)}): install PostgreSQL {major}, or name another data folder with --data DIR.");
    }

    /// <summary>What was found, in words for a person.</summary>
    public static string Listed(IReadOnlyList<PostgresInstallation> installed) => installed.Count == 0
        ? "found none"
        : "found " + string.Join(", ", installed.Select(i => $"{i.Major} in {i.Folder}"));

    /// <summary>The major version in what `postgres --version` prints, or null.</summary>
    internal static int? MajorIn(string versionLine) =>
        VersionLine().Match(versionLine) is { Success: true } match
            ? int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture)
            : null;

    private static IEnumerable<string> Candidates()
    {
        var onPath = (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        // Debian and Ubuntu; the PostgreSQL project's RPMs; Alpine; Homebrew on both kinds of Mac.
        var distribution = Matching("/usr/lib/postgresql", "*", "bin")
            .Concat(Matching("/usr", "pgsql-*", "bin"))
            .Concat(Matching("/usr/libexec", "postgresql*", ""))
            .Concat(Matching("/opt/homebrew/opt", "postgresql@*", "bin"))
            .Concat(Matching("/usr/local/opt", "postgresql@*", "bin"));
        foreach (var folder in onPath.Concat(distribution))
        {
            var initDb = new FileInfo(Path.Combine(folder, "initdb"));
            if (!initDb.Exists)
                continue;
            // A link on PATH points to the folder where the other programs are.
            var home = Path.GetDirectoryName(initDb.ResolveLinkTarget(returnFinalTarget: true)?.FullName) ?? folder;
            if (File.Exists(Path.Combine(home, "postgres")) && File.Exists(Path.Combine(home, "pg_ctl")))
                yield return home;
        }
    }

    private static IEnumerable<string> Matching(string parent, string pattern, string child) =>
        Directory.Exists(parent) ? Directory.GetDirectories(parent, pattern).Select(d => Path.Combine(d, child)) : [];

    private static async Task<int?> MajorOfAsync(string folder, CancellationToken cancellationToken)
    {
        try
        {
            var version = await ChildProcess.RunAsync(
                null, "/", Path.Combine(folder, "postgres"), ["--version"], cancellationToken);
            return MajorIn(version.Output);
        }
        // A file of that name that this machine cannot run is no PostgreSQL.
        catch (Win32Exception)
        {
            return null;
        }
    }

    [GeneratedRegex(@"\(PostgreSQL\) (\d+)")]
    private static partial Regex VersionLine();
}
