using System.CommandLine;

namespace Actors.Benchmarks.Round;

/// <summary>`./actors bench round`.</summary>
internal static class RoundCommand
{
    public static Command Create()
    {
        var agencies = BenchmarkCommand.Number("--agencies", 1_000, "Agencies, each with 100 plans.");
        var history = BenchmarkCommand.Number(
            "--history", 10, "How many times as many installments the second database holds; 0 leaves it out.");
        var lead = BenchmarkCommand.Number("--lead", 10, "Seconds from the start of a silo to the cutoff.");
        var command = new Command("round", "A cutoff at which nothing is due, with little and with much history.")
        {
            agencies, history, lead, BenchmarkCommand.Repetitions,
        };
        return command.Running((server, arguments, report, cancellationToken) => new RoundBenchmark(
            server, arguments.GetValue(agencies), arguments.GetValue(history), arguments.GetValue(lead),
            arguments.GetValue(BenchmarkCommand.Repetitions), arguments.GetValue(BenchmarkCommand.Profile), report)
            .RunAsync(cancellationToken));
    }
}
