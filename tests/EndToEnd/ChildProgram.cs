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

    /// <summary>The same with more environment variables.</summary>
    public static ChildProgram ActorsWith(
        IReadOnlyDictionary<string, string> environment, params string[] arguments) => Start(
        "Actors.Silo.dll",
        start =>
        {
            foreach (var (name, value) in environment) start.Environment[name] = value;
        },
        arguments);

    /// <summary>What `./actors bench` runs, with a data folder of its own.</summary>
    public static async Task<ProgramResult> RunBenchmarkAsync(string folder, params string[] arguments)
    {
        using var program = Start(
            "Actors.Benchmarks.dll", start => start.Environment["ACTORS_DATA"] = folder, arguments);
        return await program.FinishAsync();
    }

    /// <summary>Holds the embedded database in a folder until its input ends, or until it is killed.</summary>
    public static ChildProgram Holder(string folder, string purpose) =>
        Start("Actors.Tests.EmbeddedHolder.dll", folder, purpose);

    public static async Task<ProgramResult> RunActorsAsync(params string[] arguments)
    {
        using var program = Actors(arguments);
        return await program.FinishAsync();
    }

    /// <summary>The command line with one more environment variable.</summary>
    public static async Task<ProgramResult> RunActorsWithAsync(string variable, string value, params string[] arguments)
    {
        using var program = Start("Actors.Silo.dll", start => start.Environment[variable] = value, arguments);
        return await program.FinishAsync();
    }

    /// <summary>Waits for one line; null when the program ended without another.</summary>
    public async Task<string?> ReadLineAsync() => await process.StandardOutput.ReadLineAsync();

    /// <summary>Waits for one line of standard error; null when the program ended without another.</summary>
    public async Task<string?> ReadErrorLineAsync() => await process.StandardError.ReadLineAsync();

    /// <summary>All lines up to the first that starts so, that one included.</summary>
    /// <exception cref="InvalidOperationException">The program ended before; the message has what it said.</exception>
    public async Task<IReadOnlyList<string>> ReadUntilAsync(string start)
    {
        var lines = new List<string>();
        while (await ReadLineAsync() is { } line)
        {
            lines.Add(line);
            if (line.StartsWith(start, StringComparison.Ordinal)) return lines;
        }

        var (code, _, error) = await FinishAsync();
        throw new InvalidOperationException(
            $"'{start}' never came; exit code {code}: {error}\n{string.Join('\n', lines)}");
    }

    /// <summary>As `kill` and service managers do; then waits for its end.</summary>
    public async Task<ProgramResult> TerminateAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", $"{process.Id}"]);
        return await FinishAsync();
    }

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

    private static ChildProgram Start(string assembly, params string[] arguments) =>
        Start(assembly, _ => { }, arguments);

    private static ChildProgram Start(string assembly, Action<ProcessStartInfo> prepare, string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, assembly), .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Remove("ACTORS_DATABASE");
        start.Environment.Remove("ACTORS_DATA");
        start.Environment.Remove("ACTORS_PORT");
        start.Environment.Remove("ACTORS_CLUSTER");
        start.Environment.Remove("ACTORS_SERVICE");
        start.Environment.Remove("ACTORS_POOLER");
        // Both would send any other client of PostgreSQL elsewhere.
        start.Environment["PGPORT"] = "1";
        start.Environment["PGDATA"] = "/nowhere";
        prepare(start);
        return new ChildProgram(Process.Start(start)!);
    }
}
