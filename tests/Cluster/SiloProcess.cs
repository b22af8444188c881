using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using Npgsql;

namespace Actors.Tests.Cluster;

/// <summary>One `actors silo` in a process of its own, which is killed and frozen from outside.</summary>
public sealed class SiloProcess : IAsyncDisposable
{
    private static readonly HttpClient Http = new();
    private static int started;
    private readonly Process process;
    private readonly ConcurrentQueue<string> lines = new();
    private readonly TaskCompletionSource<Uri> ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private SiloProcess(Process process)
    {
        this.process = process;
        process.OutputDataReceived += (_, line) => Note(line.Data);
        process.ErrorDataReceived += (_, line) => Note(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>The longer round runs what everybody runs, which compiles itself while it runs.</summary>
    private static string Folder => FaultWorld.IsLongerRound ? "" : "silo";

    /// <summary>Of its own in this run; its sessions carry it as the setting `faults.silo`.</summary>
    public int Number { get; private init; }

    /// <summary>The last it said, for a test that fails.</summary>
    public string Said => string.Join('\n', lines.TakeLast(40));

    public int ExitCode => process.ExitCode;

    public bool HasEnded => process.HasExited;

    /// <param name="connectionString">Of the silo's login.</param>
    /// <param name="cluster">Its name.</param>
    /// <param name="around">A program that starts it, with arguments: such as `ip netns exec …`.</param>
    /// <param name="clockAhead">By how much its clock is wrong; less than zero is behind.</param>
    /// <param name="arguments">More of the silo's own.</param>
    public static SiloProcess Start(
        string connectionString, string cluster = "faults", string[]? around = null, TimeSpan? clockAhead = null,
        params string[] arguments)
    {
        var number = Interlocked.Increment(ref started);
        var database = new NpgsqlConnectionStringBuilder(connectionString) { Options = $"-c faults.silo={number}" };
        string[] command =
        [
            .. around ?? [], "dotnet", Path.Combine(AppContext.BaseDirectory, Folder, "Actors.Silo.dll"), "silo",
            "--database", database.ConnectionString, .. arguments,
        ];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var variable in new[] { "ACTORS_DATABASE", "ACTORS_DATA", "ACTORS_PORT", "ACTORS_POOLER" })
            start.Environment.Remove(variable);
        if (!FaultWorld.IsLongerRound)
        {
            // What lives for a minute need not be compiled twice: that was a quarter of what this suite took. Nor need
            // the pages of compiled code be mapped twice.
            start.Environment["DOTNET_TC_CallCounting"] = "0";
            start.Environment["DOTNET_EnableWriteXorExecute"] = "0";
        }

        start.Environment["ACTORS_CLUSTER"] = cluster;
        start.Environment["ACTORS_SERVICE"] = "faults";
        if (clockAhead is { } ahead)
        {
            start.Environment["DOTNET_STARTUP_HOOKS"] = typeof(StartupHook).Assembly.Location;
            start.Environment[StartupHook.SecondsAhead] = ahead.TotalSeconds.ToString(CultureInfo.InvariantCulture);
        }

        return new SiloProcess(Process.Start(start)!) { Number = number };
    }

    /// <summary>Waits until it serves, and answers where its health is.</summary>
    public async Task<Uri> ReadyAsync()
    {
        try
        {
            return await ready.Task.WaitAsync(TimeSpan.FromMinutes(4));
        }
        catch (TimeoutException late)
        {
            throw new TimeoutException($"The silo did not come up:\n{Said}", late);
        }
    }

    /// <summary>What its `/health/ready` answers.</summary>
    public async Task<(HttpStatusCode Status, string Body)> HealthAsync()
    {
        using var answer = await Http.GetAsync(new Uri(await ReadyAsync(), "/health/ready"));
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    /// <summary>Waits until a check of its readiness says this.</summary>
    public Task SaysAsync(string sentence) => Support.Eventually.HoldsAsync(
        $"readiness says '{sentence}'",
        async () => (await HealthAsync()).Body.Contains(sentence, StringComparison.Ordinal));

    /// <summary>How many lines that it wrote have these words.</summary>
    public int Logged(string words) => lines.Count(line => line.Contains(words, StringComparison.Ordinal));

    /// <summary>As kill -9.</summary>
    public async Task KillAsync()
    {
        process.Kill();
        await process.WaitForExitAsync();
    }

    /// <summary>As a service manager stops it.</summary>
    public async Task TerminateAsync()
    {
        await SignalAsync("TERM");
        await EndAsync();
    }

    /// <summary>It stands still, its connections stay open.</summary>
    public Task FreezeAsync() => SignalAsync("STOP");

    public Task ThawAsync() => SignalAsync("CONT");

    /// <summary>Waits for its end, and answers its exit code.</summary>
    public async Task<int> EndAsync()
    {
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(1));
        return process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited) await KillAsync();
        process.Dispose();
    }

    private void Note(string? line)
    {
        if (line is null)
        {
            if (process.HasExited) ready.TrySetException(new InvalidOperationException($"The silo ended:\n{Said}"));
            return;
        }

        lines.Enqueue(line);
        if (line.StartsWith("ready ", StringComparison.Ordinal)) ready.TrySetResult(new Uri(line["ready ".Length..]));
    }

    private async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{process.Id}"]);
        await kill.WaitForExitAsync();
    }
}
