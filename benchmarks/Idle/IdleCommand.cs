using System.CommandLine;
using Actors.Benchmarks.Databases;

namespace Actors.Benchmarks.Idle;

/// <summary>`./actors bench idle`.</summary>
internal static class IdleCommand
{
    public static Command Create()
    {
        var agencies = BenchmarkCommand.Number("--agencies", 100_000, "Agencies, each with a plan of 2 installments.");
        var minutes = BenchmarkCommand.Number("--minutes", 10, "For how long.");
        var seconds = BenchmarkCommand.Number("--seconds", 0, "And how many seconds more.");
        var settle = BenchmarkCommand.Number("--settle", 60, "Seconds after the start, before the measuring begins.");
        var command = new Command("idle", "100,000 agencies that wait on one silo: its memory, processor and reads.")
        {
            agencies, minutes, seconds, settle,
        };
        return command.Running((server, arguments, report, cancellationToken) => new IdleBenchmark(
            server,
            new IdleSize(
                new PaymentData(arguments.GetValue(agencies), 1, 2, 1, 0),
                new TimeSpan(0, arguments.GetValue(minutes), arguments.GetValue(seconds)),
                TimeSpan.FromSeconds(arguments.GetValue(settle)), arguments.GetValue(BenchmarkCommand.Profile)),
            report).RunAsync(cancellationToken));
    }
}
