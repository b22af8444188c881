using System.CommandLine;
using Actors.Benchmarks.Databases;

namespace Actors.Benchmarks.Backlog;

/// <summary>`./actors bench backlog`.</summary>
internal static class BacklogCommand
{
    private const int PlansPerAgency = 100;
    private const int InstallmentsPerPlan = 12;

    /// <summary>236,508 of 100,000 plans.</summary>
    private const double DuePerPlan = 2.36508;

    public static Command Create()
    {
        var agencies = BenchmarkCommand.Number(
            "--agencies", 1_000, "Agencies, each with 100 plans of 12 installments, some 236 of them due.");
        var command = new Command("backlog", "A missed cutoff of 1,000 agencies, caught up, beside one UPDATE.")
        {
            agencies, BenchmarkCommand.Repetitions,
        };
        return command.Running((server, arguments, report, cancellationToken) => new BacklogBenchmark(
            server,
            new PaymentData(arguments.GetValue(agencies), PlansPerAgency, InstallmentsPerPlan, 4, DuePerPlan),
            arguments.GetValue(BenchmarkCommand.Repetitions),
            arguments.GetValue(BenchmarkCommand.Profile),
            report).RunAsync(cancellationToken));
    }
}
