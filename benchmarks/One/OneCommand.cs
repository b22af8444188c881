using System.CommandLine;
using Actors.Benchmarks.Databases;

namespace Actors.Benchmarks.One;

/// <summary>`./actors bench one`.</summary>
internal static class OneCommand
{
    public static Command Create()
    {
        var cutoffs = BenchmarkCommand.Number("--cutoffs", 1_000, "Agencies, each with a cutoff of its own.");
        var apart = BenchmarkCommand.Number("--apart", 200, "Milliseconds from one cutoff to the next.");
        var plans = BenchmarkCommand.Number("--plans", 10, "Plans of each, of 10 installments, one of them due.");
        var lead = BenchmarkCommand.Number("--lead", 15, "Seconds from the start of the silo to the first cutoff.");
        var command = new Command("one", "1,000 cutoffs one after the other on an idle cluster, beside 1,000 UPDATEs.")
        {
            cutoffs, apart, plans, lead,
        };
        return command.Running((server, arguments, report, cancellationToken) => new OneBenchmark(
            server,
            new OneSize(
                new PaymentData(arguments.GetValue(cutoffs), arguments.GetValue(plans), 10, 4, 1),
                arguments.GetValue(apart), arguments.GetValue(lead), arguments.GetValue(BenchmarkCommand.Profile)),
            report).RunAsync(cancellationToken));
    }
}
