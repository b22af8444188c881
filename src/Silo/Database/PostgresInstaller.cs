using System.ComponentModel;
using Actors.Silo.CommandLine;

namespace Actors.Silo.Database;

/// <summary>
/// Installs PostgreSQL with the system's package manager where that needs no question (Debian and Ubuntu, as root or
/// with a sudo that asks for no password), else says which command a person has to run.
/// </summary>
internal static class PostgresInstaller
{
    // Debian's package makes a cluster `main` on port 5432 and starts it, unless this file says no. We write that line
    // only where nobody has decided it, so that somebody's own choice stands.
    private const string NoMainCluster =
        """
        conf=/etc/postgresql-common/createcluster.conf
        mkdir -p /etc/postgresql-common
        grep -qs '^ *create_main_cluster' "$conf" || printf 'create_main_cluster = false\n' >> "$conf"
        """;

    private const string AptInstall =
        $"""
        set -e
        export DEBIAN_FRONTEND=noninteractive
        {NoMainCluster}
        apt-get -q -o DPkg::Lock::Timeout=300 update
        apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends postgresql
        """;

    /// <summary>The newest PostgreSQL that is installed, which it is afterwards where none was.</summary>
    /// <param name="report">Told what is being done.</param>
    /// <exception cref="CommandFailure">None of 15 or later can be had without a question.</exception>
    public static async Task<PostgresInstallation> ObtainAsync(
        Action<string> report, CancellationToken cancellationToken)
    {
        var installed = await PostgresInstallation.FindAllAsync(cancellationToken);
        if (PostgresInstallation.NewestUsable(installed) is { } present)
            return present;
        var found = PostgresInstallation.Listed(installed);
        await InstallAsync(
            $"No PostgreSQL {PostgresInstallation.OldestMajor} or later is installed ({found})",
            report,
            cancellationToken);
        installed = await PostgresInstallation.FindAllAsync(cancellationToken);
        return PostgresInstallation.NewestUsable(installed) ?? throw new CommandFailure(
            ExitCode.PostgresMissing,
            $"This system's PostgreSQL is too old ({PostgresInstallation.Listed(installed)}): install "
            + $"{PostgresInstallation.OldestMajor} or later (https://www.postgresql.org/download/), or name a database "
            + "with --database.");
    }

    /// <summary>Installs it, or throws what to do.</summary>
    /// <param name="reason">The first half of the sentence: why what is there is not enough.</param>
    /// <param name="report">Told what is being done.</param>
    /// <exception cref="CommandFailure">It cannot be installed without a question, or installing failed.</exception>
    private static async Task InstallAsync(string reason, Action<string> report, CancellationToken cancellationToken)
    {
        var command = CommandFor(await OsReleaseAsync(cancellationToken), Environment.IsPrivilegedProcess);
        var shell = File.Exists("/usr/bin/apt-get") ? await QuestionFreeShellAsync(cancellationToken) : null;
        if (shell is null)
        {
            throw new CommandFailure(
                ExitCode.PostgresMissing,
                $"{reason}. Install it with `{command}` and run this command again, or name a database with "
                + "--database.");
        }

        report($"{reason}: installing it with apt-get (a minute or so) …");
        var installed = await ChildProcess.RunAsync(
            null, "/", shell[0], [.. shell[1..], "-c", AptInstall], cancellationToken);
        if (installed.ExitCode != 0)
        {
            var lastLines = string.Join('\n', installed.Output.Split('\n').TakeLast(8));
            throw new CommandFailure(
                ExitCode.PostgresMissing,
                $"{reason}, and installing it failed; run `{command}` yourself, or name a database with --database. "
                + $"apt-get said:\n{lastLines}");
        }

        report("PostgreSQL is installed.");
    }

    /// <summary>The command that installs PostgreSQL on the system that an os-release file describes.</summary>
    internal static string CommandFor(string osRelease, bool isRoot)
    {
        var names = osRelease.Split('\n')
            .Where(l => l.StartsWith("ID=", StringComparison.Ordinal)
                || l.StartsWith("ID_LIKE=", StringComparison.Ordinal))
            .SelectMany(l => l[(l.IndexOf('=', StringComparison.Ordinal) + 1)..].Trim('"', '\r').Split(' '))
            .ToHashSet(StringComparer.Ordinal);
        if (names.Count == 0 && OperatingSystem.IsMacOS())
            return "brew install postgresql@17";
        var command = names switch
        {
            _ when names.Overlaps(["debian", "ubuntu"]) => "apt-get install -y postgresql",
            _ when names.Overlaps(["fedora", "rhel", "centos"]) => "dnf install -y postgresql-server",
            _ when names.Contains("alpine") => "apk add postgresql",
            _ when names.Contains("arch") => "pacman -S --noconfirm postgresql",
            _ when names.Overlaps(["suse", "opensuse"]) => "zypper install -y postgresql-server",
            _ => "",
        };
        if (command.Length == 0)
            return "your package manager (the package is mostly called postgresql or postgresql-server)";
        return isRoot ? command : $"sudo {command}";
    }

    private static async Task<string> OsReleaseAsync(CancellationToken cancellationToken) =>
        File.Exists("/etc/os-release") ? await File.ReadAllTextAsync("/etc/os-release", cancellationToken) : "";

    private static async Task<string[]?> QuestionFreeShellAsync(CancellationToken cancellationToken)
    {
        if (Environment.IsPrivilegedProcess)
            return ["/bin/sh"];
        try
        {
            var sudo = await ChildProcess.RunAsync(null, "/", "sudo", ["-n", "true"], cancellationToken);
            return sudo.ExitCode == 0 ? ["sudo", "-n", "/bin/sh"] : null;
        }
        catch (Win32Exception)
        {
            return null;
        }
    }
}
