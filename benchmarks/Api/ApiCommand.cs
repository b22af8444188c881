using System.CommandLine;

namespace Actors.Benchmarks.Api;

/// <summary>`./actors bench api`.</summary>
internal static class ApiCommand
{
    public static Command Create()
    {
        var sizes = BenchmarkCommand.Numbers(
            "--sizes", [1_000_000, 10_000_000], "Rows of jobs_log, and agencies: one database for each size.");
        var ledger = BenchmarkCommand.Number("--ledger", 10_000_000, "Rows of agency_runs at each size.");
        var readers = BenchmarkCommand.Number("--readers", 50, "Readers at the same time, each with an API key.");
        var seconds = BenchmarkCommand.Number("--seconds", 8, "For how long each kind of request is measured.");
        var command = new Command("api", "Lists of runs and agencies over HTTP, for 50 readers at the same time.")
        {
            sizes, ledger, readers, seconds,
        };
        return command.Running((server, arguments, report, cancellationToken) => new ApiBenchmark(
            server,
            new ApiSize(
                arguments.GetValue(sizes)!, arguments.GetValue(ledger), arguments.GetValue(readers),
                arguments.GetValue(seconds)),
            report).RunAsync(cancellationToken));
    }
}
