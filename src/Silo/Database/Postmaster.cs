using System.Diagnostics;
using System.Globalization;

namespace Actors.Silo.Database;

/// <summary>What the pid file of a cluster says about its server.</summary>
internal enum PostmasterPhase
{
    /// <summary>No server: no pid file, or one that a crash left behind.</summary>
    Gone,

    /// <summary>It is coming up, perhaps recovering from a crash.</summary>
    Starting,

    /// <summary>It takes connections.</summary>
    Ready,

    /// <summary>It is going down.</summary>
    Stopping,

    /// <summary>The folder was copied from a cluster that is still running elsewhere.</summary>
    RunsElsewhere,
}

/// <summary>The server process of a cluster, as `postmaster.pid` and the process table know it.</summary>
internal sealed record Postmaster(PostmasterPhase Phase, int ProcessId = 0, int Port = 0, string RunsIn = "")
{
    public static string PidFile(string cluster) => Path.Combine(cluster, "postmaster.pid");

    public static Postmaster Look(string cluster)
    {
        var gone = new Postmaster(PostmasterPhase.Gone);
        string[] lines;
        try
        {
            lines = File.ReadAllLines(PidFile(cluster));
        }
        catch (IOException)
        {
            return gone;
        }

        // Process id, data folder, start time, port, socket folder, address, shared memory, phase. The file is written
        // in steps; the later lines may not be there yet.
        if (lines.Length < 2 || !int.TryParse(lines[0], NumberStyles.None, CultureInfo.InvariantCulture, out var id))
            return gone;
        if (HomeOf(id, lines[1]) is not { } home)
            return gone;
        if (home != cluster)
        {
            // The number of a dead server may belong to any process of today; only the one that the file names counts.
            return home == lines[1] ? new Postmaster(PostmasterPhase.RunsElsewhere, id, RunsIn: home) : gone;
        }

        var port = lines.Length > 3 && int.TryParse(lines[3], out var number) ? number : 0;
        var phase = (lines.Length > 7 ? lines[7].Trim() : "") switch
        {
            "ready" => PostmasterPhase.Ready,
            "stopping" => PostmasterPhase.Stopping,
            _ => PostmasterPhase.Starting,
        };
        return new Postmaster(phase, id, port, home);
    }

    /// <summary>The cluster that a process serves, or null when it is no PostgreSQL server, or is no more.</summary>
    private static string? HomeOf(int processId, string recorded)
    {
        // A postmaster's working directory is its cluster. It cannot be read of a process that is gone, is a zombie, or
        // is another user's, and then it is not ours.
        if (OperatingSystem.IsLinux())
            return new FileInfo($"/proc/{processId}/cwd").LinkTarget;
        try
        {
            using var process = Process.GetProcessById(processId);
            return process.ProcessName.StartsWith("postgres", StringComparison.Ordinal) ? recorded : null;
        }
        catch (ArgumentException)
        {
            return null;
        }
    }
}
