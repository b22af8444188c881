using System.CommandLine;
using Actors.Benchmarks.Api;
using Actors.Benchmarks.Arm;
using Actors.Benchmarks.Backlog;
using Actors.Benchmarks.Burst;
using Actors.Benchmarks.Databases;
using Actors.Benchmarks.Days;
using Actors.Benchmarks.Growth;
using Actors.Benchmarks.Idle;
using Actors.Benchmarks.Measuring;
using Actors.Benchmarks.One;
using Actors.Benchmarks.Round;

namespace Actors.Benchmarks;

/// <summary>`./actors bench`: one command for each benchmark, with its sizes as options.</summary>
internal static class BenchmarkCommand
{
    /// <summary>Measures on a server that is up, and answers the body of its section in the results.</summary>
    public delegate Task<string> Run(
        BenchmarkServer server, ParseResult arguments, Action<string> report, CancellationToken cancellationToken);

    private static readonly Option<string> Results = new("--results")
    {
        Description = "The Markdown file whose section is replaced.",
        DefaultValueFactory = _ => ResultsFile.Usual,
        Recursive = true,
    };

    private static readonly Option<bool> Keep = new("--keep")
    {
        Description = "Leave the databases, for a look with psql \"$(./actors database --data .actors/bench)\".",
        Recursive = true,
    };

    /// <summary>How often each contender is measured.</summary>
    public static Option<int> Repetitions { get; } = Number("--repetitions", 5, "How often each is measured, in turn.");

    /// <summary>Whether to report what PostgreSQL spent on each statement.</summary>
    public static Option<bool> Profile { get; } = new("--profile")
    {
        Description = "Also report what PostgreSQL spent on each of our statements.",
        Recursive = true,
    };

    public static RootCommand CreateRoot() => new(
        "Measures Actors beside what a user would pick instead, in turn on one PostgreSQL, and writes a table.")
    {
        Results,
        Profile,
        Keep,
        BurstCommand.Create(),
        BacklogCommand.Create(),
        RoundCommand.Create(),
        OneCommand.Create(),
        IdleCommand.Create(),
        ArmCommand.Create(),
        GrowthCommand.Create(),
        DaysCommand.Create(),
        ApiCommand.Create(),
    };

    /// <summary>Where the results go, and pictures with them.</summary>
    public static string FolderOf(ParseResult arguments) =>
        Path.GetDirectoryName(Path.GetFullPath(arguments.GetValue(Results)!))!;

    /// <summary>The command starts the server, measures, and puts the section into the results.</summary>
    public static Command Running(this Command command, Run run)
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

    /// <summary>An option that is a size.</summary>
    public static Option<int> Number(string name, int usual, string description) => new(name)
    {
        Description = $"{description} Default: {usual}.",
        DefaultValueFactory = _ => usual,
        HelpName = "N",
    };

    /// <summary>An option that is several sizes.</summary>
    public static Option<int[]> Numbers(string name, int[] usual, string description) => new(name)
    {
        Description = $"{description} Default: {string.Join(' ', usual)}.",
        DefaultValueFactory = _ => usual,
        AllowMultipleArgumentsPerToken = true,
        HelpName = "N …",
    };
}
