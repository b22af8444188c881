using System.CommandLine;

namespace Actors.Benchmarks.Days;

/// <summary>`./actors bench days`.</summary>
internal static class DaysCommand
{
    public static Command Create()
    {
        var agencies = BenchmarkCommand.Number(
            "--agencies", 1_000, "Agencies, each with 10 plans, of each of which an installment is due every day.");
        var days = BenchmarkCommand.Number("--days", 100, "Days in a row.");
        var pause = BenchmarkCommand.Number(
            "--pause", 2, "Seconds between two bursts, in which autovacuum does what it has a day for.");
        var command = new Command("days", "100 days of bursts in a row: sizes of tables and indexes, and the time.")
        {
            agencies, days, pause,
        };
        return command.Running((server, arguments, report, cancellationToken) => new DaysBenchmark(
            server,
            new DaysSize(arguments.GetValue(agencies), arguments.GetValue(days), arguments.GetValue(pause)),
            report).RunAsync(cancellationToken));
    }
}
