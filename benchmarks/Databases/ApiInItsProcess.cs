using System.CommandLine;
using System.Diagnostics;
using System.Net;
using Actors.Silo.Hosting;

namespace Actors.Benchmarks.Databases;

/// <summary>
/// The product's API alone, in a process of its own: what memory and processor it takes is not mixed with what measures
/// it, and no silo runs, so that the log and the lists stay as they were filled. It is this program again, with a
/// command that no help shows, and ends when its input does.
/// </summary>
internal sealed class ApiInItsProcess : IAsyncDisposable
{
    private const string Word = "serve-api";
    private const string SiloLogin = "ACTORS_BENCHMARK_SILO";
    private const string ApiLogin = "ACTORS_BENCHMARK_API";
    private const string Ready = "serving ";

    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(5);

    private readonly Process _process;

    private ApiInItsProcess(Process process, Uri address) => (_process, Address) = (process, address);

    /// <summary>Where it listens.</summary>
    public Uri Address { get; }

    /// <summary>What it has taken of processors since its start.</summary>
    public TimeSpan Processor
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    /// <summary>Starts it, and waits until it serves.</summary>
    public static async Task<ApiInItsProcess> StartAsync(BenchmarkDatabase database)
    {
        var program = Environment.ProcessPath!;
        var start = new ProcessStartInfo(program) { RedirectStandardInput = true, RedirectStandardOutput = true };
        if (Path.GetFileName(program) == "dotnet") start.ArgumentList.Add(typeof(ApiInItsProcess).Assembly.Location);
        start.ArgumentList.Add(Word);
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
                return new ApiInItsProcess(process, new Uri(line[Ready.Length..]));
            }

            await Console.Error.WriteLineAsync(line);
        }

        throw new InvalidOperationException($"`{Word}` ended before it served.");
    }

    /// <summary>The command by which this program is such a process.</summary>
    public static Command Serving()
    {
        var command = new Command(Word) { Hidden = true };
        command.SetAction(async (_, cancellationToken) =>
        {
            await using var app = ActorsHost.BuildApi(new SiloSettings
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
}
