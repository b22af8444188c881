using System.Diagnostics;
using System.Globalization;
using NodaTime;

namespace Actors.Benchmarks.Databases;

/// <summary>
/// The real program, `actors silo` or `actors api`, in a process of its own: so that its memory and its processor time
/// are its own, and a restart is one.
/// </summary>
internal sealed class ActorsProcess : IAsyncDisposable
{
    private const string Ready = "ready ";

    private readonly Process _process;
    private readonly List<string> _lines = [];
    private readonly TaskCompletionSource<(Instant At, Uri Address)> _ready =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ActorsProcess(Process process)
    {
        _process = process;
        StartedAt = Now();
        process.OutputDataReceived += (_, line) => Note(line.Data);
        process.ErrorDataReceived += (_, line) => Note(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>By this machine's clock, which is PostgreSQL's too.</summary>
    public Instant StartedAt { get; }

    /// <summary>User and system time since its start.</summary>
    public TimeSpan Processor
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>Starts a silo; several may run side by side on different databases.</summary>
    public static ActorsProcess StartSilo(BenchmarkDatabase database) =>
        Start("silo", "--database", database.SiloConnectionString);

    /// <summary>Starts the API alone; it need not find a silo.</summary>
    public static ActorsProcess StartApi(BenchmarkDatabase database) => Start(
        "api", "--database", database.SiloConnectionString, "--api-database", database.ApiConnectionString);

    private static ActorsProcess Start(params string[] arguments)
    {
        string[] program = [Path.Combine(AppContext.BaseDirectory, "Actors.Silo.dll"), .. arguments];
        var start = new ProcessStartInfo("dotnet", program)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var variable in new[] { "ACTORS_DATABASE", "ACTORS_DATA", "ACTORS_PORT", "ACTORS_POOLER" })
            start.Environment.Remove(variable);
        // As in the silos that arm a template in the benchmark's own process: reminders belong to the service.
        start.Environment["ACTORS_CLUSTER"] = "actors";
        start.Environment["ACTORS_SERVICE"] = "actors";
        return new ActorsProcess(
            Process.Start(start) ?? throw new InvalidOperationException("dotnet could not be started."));
    }

    /// <summary>Waits until it says that it is ready, and answers when it did, and where it listens.</summary>
    public async Task<(Instant At, Uri Address)> ReadyAsync()
    {
        try
        {
            return await _ready.Task.WaitAsync(TimeSpan.FromMinutes(2));
        }
        catch (TimeoutException late)
        {
            throw new TimeoutException($"It did not come up:\n{Said}", late);
        }
    }

    /// <summary>What it holds of the machine's memory now, and the most that it ever held.</summary>
    public async Task<(long Now, long AtMost)> MemoryAsync()
    {
        var lines = await File.ReadAllLinesAsync($"/proc/{_process.Id}/status");
        return (Bytes("VmRSS:"), Bytes("VmHWM:"));

        long Bytes(string name) => 1024 * long.Parse(
            lines.Single(line => line.StartsWith(name, StringComparison.Ordinal))[name.Length..].Replace("kB", ""),
            NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture);
    }

    /// <summary>As a service manager stops it.</summary>
    public async Task TerminateAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
        await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(1));
    }

    /// <summary>As kill -9.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) await KillAsync();
        _process.Dispose();
    }

    private string Said
    {
        get
        {
            lock (_lines) return string.Join('\n', _lines.TakeLast(40));
        }
    }

    private static Instant Now() => Instant.FromDateTimeOffset(TimeProvider.System.GetUtcNow());

    private void Note(string? line)
    {
        if (line is null)
        {
            _ready.TrySetException(new InvalidOperationException($"It ended:\n{Said}"));
            return;
        }

        lock (_lines) _lines.Add(line);
        if (line.StartsWith(Ready, StringComparison.Ordinal))
            _ready.TrySetResult((Now(), new Uri(line[Ready.Length..])));
    }
}
