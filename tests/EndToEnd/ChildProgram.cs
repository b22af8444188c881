using System.Diagnostics;

namespace Actors.Tests.EndToEnd;

/// <summary>What a program left that ended: its exit code, standard output and standard error, trimmed.</summary>
public sealed record ProgramResult(int ExitCode, string Output, string Error);

/// <summary>One of our programs in a process of its own, as it was built.</summary>
public sealed class ChildProgram : IDisposable
{
    private readonly Process process;

    private ChildProgram(Process process) => this.process = process;

    public int Id => process.Id;

    /// <summary>The command line, as `./actors` runs it.</summary>
    public static ChildProgram Actors(params string[] arguments) => Start("Actors.Silo.dll", arguments);

    /// <summary>Holds the embedded database in a folder until its input ends, or until it is killed.</summary>
    public static ChildProgram Holder(string folder, string purpose) =>
        Start("Actors.Tests.EmbeddedHolder.dll", folder, purpose);

    public static async Task<ProgramResult> RunActorsAsync(params string[] arguments)
    {
        using var program = Actors(arguments);
        return await program.FinishAsync();
    }

    /// <summary>Waits for one line; null when the program ended without another.</summary>
    public async Task<string?> ReadLineAsync() => await process.StandardOutput.ReadLineAsync();

    /// <summary>Ends its input and waits for its end.</summary>
    public async Task<ProgramResult> FinishAsync()
    {
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return new ProgramResult(process.ExitCode, (await output).Trim(), (await error).Trim());
    }

    /// <summary>As kill -9 does.</summary>
    public async Task KillAsync()
    {
        process.Kill();
        await process.WaitForExitAsync();
    }

    public void Dispose()
    {
        if (!process.HasExited)
            process.Kill();
        process.Dispose();
    }

    private static ChildProgram Start(string assembly, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, assembly), .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Remove("ACTORS_DATABASE");
        start.Environment.Remove("ACTORS_DATA");
        // Both would send any other client of PostgreSQL elsewhere.
        start.Environment["PGPORT"] = "1";
        start.Environment["PGDATA"] = "/nowhere";
        return new ChildProgram(Process.Start(start)!);
    }
}
