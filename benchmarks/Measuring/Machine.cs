using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using Actors.Benchmarks.Databases;

namespace Actors.Benchmarks.Measuring;

/// <summary>Where figures come from: what they depend on, and no name of any host.</summary>
internal static class Machine
{
    /// <summary>One line for the head of a section.</summary>
    public static async Task<string> DescribeAsync(BenchmarkServer server)
    {
        var memory = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (1024.0 * 1024 * 1024);
        var load = (await File.ReadAllTextAsync("/proc/loadavg")).Split(' ')[0];
        return string.Join(" · ",
            string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessorCount} cores, {memory:0} GB"),
            $"Linux {Environment.OSVersion.Version}",
            $".NET {RuntimeInformation.FrameworkDescription.Split(' ')[^1]} ({FirstGeneration})",
            $"PostgreSQL {(await server.VersionAsync()).Split(' ')[0]} ({BenchmarkServer.Described})",
            string.Join(", ", Packages("Orleans.Runtime", "Npgsql", "Quartz", "Hangfire.Core", "Hangfire.PostgreSql")),
            $"commit {await CommitAsync()}",
            $"load average at the end {load}");
    }

    /// <summary>As the environment has it, in hexadecimal; .NET itself does not tell.</summary>
    private static string FirstGeneration =>
        long.TryParse(
            Environment.GetEnvironmentVariable("DOTNET_GCgen0size"), NumberStyles.AllowHexSpecifier,
            CultureInfo.InvariantCulture, out var size) && size > 0
            ? string.Create(CultureInfo.InvariantCulture, $"first generation {size >> 20} MB")
            : "first generation as it chooses";

    private static IEnumerable<string> Packages(params string[] names) => names.Select(name =>
    {
        var assembly = Assembly.Load(name);
        var version = assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion
            ?? assembly.GetName().Version!.ToString();
        return $"{name.Replace(".Runtime", "", StringComparison.Ordinal)} {version.Split('+', ' ')[0].TrimEnd('.')}";
    });

    private static async Task<string> CommitAsync()
    {
        var commit = await GitAsync("rev-parse", "--short", "HEAD");
        var isChanged = await GitAsync("status", "--porcelain", "--untracked-files=no", "--", "src", "sql") != "";
        return isChanged ? $"{commit} with changes" : commit;
    }

    private static async Task<string> GitAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("git", arguments) { RedirectStandardOutput = true };
        using var git = Process.Start(start) ?? throw new InvalidOperationException("git could not be started.");
        var output = await git.StandardOutput.ReadToEndAsync();
        await git.WaitForExitAsync();
        return output.Trim();
    }
}
