using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using Actors.Silo.Hosting;
using Microsoft.AspNetCore.Builder;

namespace Actors.Benchmarks.Databases;

/// <summary>
/// The product's silo, or its API, in a process of its own: what memory and processor it takes is not mixed with what
/// measures it. It is this program again, with a command that no help shows, and ends when its input does.
/// </summary>
internal sealed class ServedProcess : IAsyncDisposable
{
    private const string SiloWord = "serve-silo";
    private const string ApiWord = "serve-api";
    private const string SiloLogin = "ACTORS_BENCHMARK_SILO";
    private const string ApiLogin = "ACTORS_BENCHMARK_API";
    private const string Ready = "serving ";

    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(5);

    private readonly Process _process;

    private ServedProcess(Process process, Uri address) => (_process, Address) = (process, address);

    /// <summary>Where it listens.</summary>
    public Uri Address { get; }

    /// <summary>The most memory that it has had resident.</summary>
    public long PeakMemory => MemoryOf("VmHWM:");

    /// <summary>The memory that it has resident now.</summary>
    public long Memory => MemoryOf("VmRSS:");

    /// <summary>What it has taken of processors since its start.</summary>
    public TimeSpan Processor
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>A silo alone.</summary>
    public static Task<ServedProcess> StartSiloAsync(BenchmarkDatabase database) => StartAsync(SiloWord, database);

    /// <summary>The API alone; no silo runs, so that the log and the lists stay as they were filled.</summary>
    public static Task<ServedProcess> StartApiAsync(BenchmarkDatabase database) => StartAsync(ApiWord, database);

    /// <summary>The commands by which this program is such a process.</summary>
    public static IEnumerable<Command> Commands =>
    [
        Serving(SiloWord, ActorsHost.BuildSilo), Serving(ApiWord, ActorsHost.BuildApi),
    ];

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private static async Task<ServedProcess> StartAsync(string word, BenchmarkDatabase database)
    {
        var program = Environment.ProcessPath!;
        var start = new ProcessStartInfo(program) { RedirectStandardInput = true, RedirectStandardOutput = true };
        if (Path.GetFileName(program) == "dotnet") start.ArgumentList.Add(typeof(ServedProcess).Assembly.Location);
        start.ArgumentList.Add(word);
        start.Environment[SiloLogin] = database.SiloConnectionString;
        start.Environment[ApiLogin] = database.ApiConnectionString;
        // An API that looks for silos until it is ended says so as an error; what fails at the start is thrown too.
        start.Environment["Logging__LogLevel__Microsoft.Extensions.Hosting"] = "None";
        var process = Process.Start(start) ?? throw new InvalidOperationException($"{program} could not be started.");
        using var limit = new CancellationTokenSource(StartLimit);
        while (await process.StandardOutput.ReadLineAsync(limit.Token) is { } line)
        {
            if (line.StartsWith(Ready, StringComparison.Ordinal))
            {
                // What it logs from now on is passed on, so that it never waits for a reader.
                _ = process.StandardOutput.BaseStream.CopyToAsync(Console.OpenStandardError(), CancellationToken.None);
                return new ServedProcess(process, new Uri(line[Ready.Length..]));
            }

            await Console.Error.WriteLineAsync(line);
        }

        throw new InvalidOperationException($"`{word}` ended before it served.");
    }

    private static Command Serving(string word, Func<SiloSettings, WebApplication> build)
    {
        var command = new Command(word) { Hidden = true };
        command.SetAction(async (_, cancellationToken) =>
        {
            await using var app = build(new SiloSettings
            {
                SiloConnectionString = Environment.GetEnvironmentVariable(SiloLogin)!,
                ApiConnectionString = Environment.GetEnvironmentVariable(ApiLogin)!,
                Ports = SiloPorts.FindAny(IPAddress.Loopback),
                IsAlone = true,
            });
            await app.StartAsync(cancellationToken);
            await Console.Out.WriteLineAsync($"{Ready}{ActorsHost.AddressOf(app)}");
            await using var input = Console.OpenStandardInput();
            await Task.Run(input.ReadByte, cancellationToken);
            await app.StopAsync(CancellationToken.None);
        });
        return command;
    }

    private long MemoryOf(string field)
    {
        const int kilobyte = 1024;
        var line = File.ReadLines($"/proc/{_process.Id}/status")
            .First(line => line.StartsWith(field, StringComparison.Ordinal));
        return long.Parse(
            line[field.Length..].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture) * kilobyte;
    }
}
