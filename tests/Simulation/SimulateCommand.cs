using System.CommandLine;
using System.Diagnostics;
using NodaTime;

namespace Actors.Tests.Simulation;

/// <summary>
/// `./actors simulate`: more worlds, or longer ones, than the tests have time for; or one world once more.
/// </summary>
internal static class SimulateCommand
{
    private static readonly Option<int> Seeds = new("--seeds")
    {
        Description = "How many worlds, with seeds that follow each other.",
        DefaultValueFactory = _ => 1,
    };

    private static readonly Option<ulong> Seed = new("--seed")
    {
        Description = "The seed of the first world.",
        DefaultValueFactory = _ => 1,
    };

    private static readonly Option<int> Agencies = new("--agencies")
    {
        Description = "How many agencies a world has.",
        DefaultValueFactory = _ => 20,
    };

    private static readonly Option<int> Days = new("--days")
    {
        Description = "How many simulated days a world lasts.",
        DefaultValueFactory = _ => 40,
    };

    private static readonly Option<int> AtOnce = new("--at-once")
    {
        Description = "How many worlds run side by side.",
        DefaultValueFactory = _ => WorldServers.AtOnce,
    };

    private static readonly Option<bool> Trace = new("--trace")
    {
        Description = "Prints every statement and every change; worlds run one after the other.",
    };

    public static Task<int> RunAsync(string[] words)
    {
        foreach (var option in new[] { Seeds, Agencies, Days, AtOnce }) option.Validators.Add(AtLeastOne);
        var command = new RootCommand(
            "Runs the real grains and their SQL in simulated worlds, in which whatever can go wrong does, and prints "
            + "a line for each. Exits with 1 when something was found that must never be, and says how to replay it.")
        {
            Seeds, Seed, Agencies, Days, AtOnce, Trace,
        };
        command.SetAction(async (parsed, cancellationToken) => await SimulateAsync(
            [.. Enumerable.Range(0, parsed.GetValue(Seeds)).Select(index => new WorldSettings(
                parsed.GetValue(Seed) + (ulong)index, parsed.GetValue(Agencies), parsed.GetValue(Days)))],
            parsed.GetValue(Trace) ? 1 : parsed.GetValue(AtOnce),
            parsed.GetValue(Trace) ? Console.Out : null,
            cancellationToken));
        return command.Parse(words).InvokeAsync();
    }

    private static void AtLeastOne(System.CommandLine.Parsing.OptionResult result)
    {
        if (result.Tokens is [var token] && int.TryParse(token.Value, out var number) && number < 1)
            result.AddError($"{result.IdentifierToken?.Value} is {number}; expected is 1 or more.");
    }

    private static async Task<int> SimulateAsync(
        WorldSettings[] worlds, int atOnce, TextWriter? trace, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        var reports = new List<Report>();
        var failures = 0;
        await using var servers = new WorldServers();
        await Parallel.ForEachAsync(
            worlds, new ParallelOptions { MaxDegreeOfParallelism = atOnce, CancellationToken = cancellationToken },
            async (world, _) =>
            {
                try
                {
                    var report = await servers.RunAsync(world, trace);
                    lock (reports) reports.Add(report);
                    Console.WriteLine(Line(report));
                }
                catch (Exception) when (cancellationToken.IsCancellationRequested)
                {
                    // Interrupted: its server goes away under it.
                }
                catch (InvalidOperationException violation)
                {
                    Interlocked.Increment(ref failures);
                    Console.WriteLine($"VIOLATION: {violation.Message}");
                }
            });

        Console.WriteLine(Total(reports, failures, Stopwatch.GetElapsedTime(started)));
        return failures == 0 ? 0 : 1;
    }

    private static string Line(Report report) =>
        $"seed {report.Settings.Seed}: {report.Steps:N0} steps, {report.Cutoffs:N0} cutoffs "
        + $"({report.OnTime:N0} on time), "
        + $"{report.Marked:N0} installments marked, {report.Faults.Values.Sum():N0} faults; latest "
        + $"{Text(report.WorstLateness)}, after the faults' end {Text(report.WorstUnexcused)}; digest {report.Digest}";

    private static string Total(List<Report> reports, int failures, TimeSpan took)
    {
        var faults = reports.SelectMany(report => report.Faults).GroupBy(fault => fault.Key, fault => fault.Value)
            .OrderByDescending(kind => kind.Sum()).Select(kind => $"  {kind.Sum(),9:N0}  {kind.Key}");
        var unexcused = reports.Select(report => report.WorstUnexcused).Append(Duration.Zero).Max();
        return $"""
            {reports.Count + failures:N0} worlds in {took.TotalSeconds:N0} s: {failures:N0} violations,
            {reports.Sum(report => report.Steps):N0} steps, {reports.Sum(report => report.Cutoffs):N0} cutoffs, {
            reports.Sum(report => report.Marked):N0} installments marked, none late by more than {Text(unexcused)
            } after the faults' end; faults:
            {string.Join('\n', faults)}
            """;
    }

    private static string Text(Duration duration) => duration.TotalHours >= 1
        ? $"{duration.TotalHours:N1} h"
        : $"{duration.TotalSeconds:N3} s";
}
