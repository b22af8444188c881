using System.ComponentModel;
using System.Diagnostics;

namespace Actors.Silo.Database;

/// <summary>What a program that ended left: its exit code, and what it wrote, standard error last.</summary>
internal sealed record ChildResult(int ExitCode, string Output);

/// <summary>Runs another program to its end, optionally as another user of this machine.</summary>
internal static class ChildProcess
{
    /// <summary>Starts a program with its output captured and nothing to read.</summary>
    /// <param name="userName">The user to run as; null for the user of this process.</param>
    /// <param name="folder">Its working directory, which that user must be able to enter.</param>
    /// <param name="program">A path, or a name on PATH.</param>
    /// <param name="arguments">Handed over as they are: no shell reads them.</param>
    /// <exception cref="Win32Exception">There is no such program, or it cannot be run as that user.</exception>
    public static Process Start(string? userName, string folder, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UserName = userName ?? "",
        };
        // PGDATA, PGPORT, PGOPTIONS and the like of the caller's shell mean some other cluster.
        foreach (var name in start.Environment.Keys.Where(n => n.StartsWith("PG", StringComparison.Ordinal)).ToList())
            start.Environment.Remove(name);
        start.Environment["LC_ALL"] = "C.UTF-8";
        var process = Process.Start(start) ?? throw new Win32Exception($"{program} did not start.");
        process.StandardInput.Close();
        return process;
    }

    /// <summary>Runs a program to its end. Cancelling kills it.</summary>
    /// <exception cref="Win32Exception">There is no such program, or it cannot be run as that user.</exception>
    public static async Task<ChildResult> RunAsync(
        string? userName, string folder, string program, string[] arguments, CancellationToken cancellationToken)
    {
        using var process = Start(userName, folder, program, arguments);
        return await FinishAsync(process, cancellationToken);
    }

    /// <summary>Waits for a started program and collects what it wrote.</summary>
    public static async Task<ChildResult> FinishAsync(Process process, CancellationToken cancellationToken)
    {
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var error = process.StandardError.ReadToEndAsync(cancellationToken);
        try
        {
            await process.WaitForExitAsync(cancellationToken);
            return new ChildResult(process.ExitCode, (await output + await error).Trim());
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }
}
