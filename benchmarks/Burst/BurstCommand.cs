using System.CommandLine;
using Actors.Benchmarks.Databases;

namespace Actors.Benchmarks.Burst;

/// <summary>`./actors bench burst`.</summary>
internal static class BurstCommand
{
    public static Command Create()
    {
        var agencies = BenchmarkCommand.Number(
            "--agencies", 10_000, "Agencies, each with 10 plans of 10 installments, one of them due.");
        var slow = BenchmarkCommand.Number(
            "--slow-repetitions", 2, "How often Quartz and Hangfire are measured; 0 leaves them out.");
        var lead = BenchmarkCommand.Number("--lead", 10, "Seconds from the start of a scheduler to the cutoff.");
        var command = new Command("burst", "10,000 agencies at one cutoff, beside one UPDATE, Quartz and Hangfire.")
        {
            agencies, BenchmarkCommand.Repetitions, slow, lead,
        };
        return command.Running((server, arguments, report, cancellationToken) => new BurstBenchmark(
            server,
            new BurstSize(
                new PaymentData(arguments.GetValue(agencies), 10, 10, 4, 1),
                arguments.GetValue(BenchmarkCommand.Repetitions), arguments.GetValue(slow), arguments.GetValue(lead),
                arguments.GetValue(BenchmarkCommand.Profile)),
            report).RunAsync(cancellationToken));
    }
}
