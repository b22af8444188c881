using System.CommandLine;

namespace Actors.Benchmarks.Growth;

/// <summary>`./actors bench growth`.</summary>
internal static class GrowthCommand
{
    public static Command Create()
    {
        var sizes = BenchmarkCommand.Numbers(
            "--sizes", [1_000, 3_000, 10_000, 30_000, 100_000],
            "Agencies, each with 10 plans of 10 installments, one of them due.");
        var lead = BenchmarkCommand.Number(
            "--lead", 10, "Seconds to the cutoff, and one more for each 2,000 agencies.");
        var repetitions = BenchmarkCommand.Number("--repetitions", 3, "How often each is measured, in turn.");
        var command = new Command("growth", "Bursts from 1,000 to 100,000 agencies, beside one UPDATE each.")
        {
            sizes, repetitions, lead,
        };
        return command.Running((server, arguments, report, cancellationToken) => new GrowthBenchmark(
            server,
            new GrowthSize(
                arguments.GetValue(sizes)!, arguments.GetValue(repetitions),
                arguments.GetValue(lead), BenchmarkCommand.FolderOf(arguments)),
            report).RunAsync(cancellationToken));
    }
}
