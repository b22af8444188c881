using System.CommandLine;
using Actors.Benchmarks.Burst;
using Actors.Benchmarks.Databases;
using Actors.Benchmarks.Measuring;

namespace Actors.Benchmarks;

/// <summary>`./actors bench`: one command for each benchmark, with its sizes as options.</summary>
internal static class BenchmarkCommands
{
    private static readonly Option<int> Repetitions =
        Number("--repetitions", 5, "How often each is measured, in turn.");

    private static readonly Option<string> Results = new("--results")
    {
        Description = "The Markdown file whose section is replaced.",
        DefaultValueFactory = _ => ResultsFile.Usual,
        Recursive = true,
    };

    private static readonly Option<bool> Profile = new("--profile")
    {
        Description = "Also report what PostgreSQL spent on each of our statements.",
        Recursive = true,
    };

    private static readonly Option<bool> Keep = new("--keep")
    {
        Description = "Leave the databases, for a look with psql \"$(./actors database --data .actors/bench)\".",
        Recursive = true,
    };

    public static RootCommand CreateRoot() => new(
        "Measures Actors beside what a user would pick instead, in turn on one PostgreSQL, and writes a table.")
    {
        Results,
        Profile,
        Keep,
        Burst(),
    };

    private static Command Burst()
    {
        var agencies = Number(
            "--agencies", 10_000, "Agencies, each with 10 plans of 10 installments, one of them due.");
        var slow = Number("--slow-repetitions", 2, "How often Quartz and Hangfire are measured; 0 leaves them out.");
        var lead = Number("--lead", 10, "Seconds from the start of a scheduler to the cutoff.");
        var command = new Command("burst", "10,000 agencies at one cutoff, beside one UPDATE, Quartz and Hangfire.")
        {
            agencies, Repetitions, slow, lead,
        };
        return Running(command, (server, arguments, report, cancellationToken) => new BurstBenchmark(
            server,
            new BurstSize(
                new PaymentData(arguments.GetValue(agencies), 10, 10, 4, 1),
                arguments.GetValue(Repetitions), arguments.GetValue(slow), arguments.GetValue(lead),
                arguments.GetValue(Profile)),
            report).RunAsync(cancellationToken));
    }

    private delegate Task<string> Run(
        BenchmarkServer server, ParseResult arguments, Action<string> report, CancellationToken cancellationToken);

    private static Command Running(Command command, Run run)
    {
        command.SetAction(async (arguments, cancellationToken) =>
        {
            Action<string> report = arguments.InvocationConfiguration.Error.WriteLine;
            await using var server = await BenchmarkServer.StartAsync(report, cancellationToken);
            var section = await run(server, arguments, report, cancellationToken);
            await new ResultsFile(arguments.GetValue(Results)!).ReplaceAsync(command.Name, section);
            if (!arguments.GetValue(Keep)) await server.DropAllAsync();
            await arguments.InvocationConfiguration.Output.WriteLineAsync(section);
        });
        return command;
    }

    private static Option<int> Number(string name, int usual, string description) => new(name)
    {
        Description = $"{description} Default: {usual}.",
        DefaultValueFactory = _ => usual,
        HelpName = "N",
    };
}
