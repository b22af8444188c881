using System.CommandLine;
using Actors.Benchmarks.Databases;

namespace Actors.Benchmarks.Arm;

/// <summary>`./actors bench arm`.</summary>
internal static class ArmCommand
{
    public static Command Create()
    {
        var agencies = BenchmarkCommand.Number("--agencies", 100_000, "Agencies, each with a plan of 2 installments.");
        var apart = BenchmarkCommand.Number(
            "--apart", 100, "Milliseconds between the cutoffs that show whether a silo that starts has taken over.");
        var seconds = BenchmarkCommand.Number("--seconds", 30, "For how long after a start there are such cutoffs.");
        var command = new Command("arm", "100,000 agencies armed from nothing, and taken over by a silo that restarts.")
        {
            agencies, BenchmarkCommand.Repetitions, apart, seconds,
        };
        return command.Running((server, arguments, report, cancellationToken) => new ArmBenchmark(
            server,
            new ArmSize(
                new PaymentData(arguments.GetValue(agencies), 1, 2, 1, 0),
                arguments.GetValue(BenchmarkCommand.Repetitions),
                arguments.GetValue(apart), arguments.GetValue(seconds), arguments.GetValue(BenchmarkCommand.Profile)),
            report).RunAsync(cancellationToken));
    }
}
