using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using Actors.Api.Requests;
using Actors.Silo.CommandLine.Commands;
using Actors.Silo.Database;

namespace Actors.Silo.CommandLine;

/// <summary>
/// The frame around the commands: reads the command line, runs one command, and turns how it ended into a message on
/// standard error and an <see cref="ExitCode"/>. A command throws <see cref="CommandFailure"/> for what a person can
/// put right; what the database refuses is explained here, so that commands need not; all else is one line, and the
/// stack trace with ACTORS_TRACE=1. Ctrl-C and SIGTERM cancel the command's token.
/// </summary>
public static class CommandLineApplication
{
    /// <summary>What a shell reports for a program that Ctrl-C ended.</summary>
    private const int Interrupted = 130;

    // `up` lets its silo hand over its work, and stops its database, before it ends.
    private static readonly TimeSpan TerminationLimit = TimeSpan.FromMinutes(2);

    /// <summary>All commands, in the order in which help lists them.</summary>
    /// <param name="clock">For the commands that answer about now.</param>
    public static Command CreateRoot(TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(clock);
        var options = new GlobalOptions();
        var help = new HelpOption();
        help.Action = new HelpWithSurroundings((HelpAction)help.Action!);
        // A RootCommand would call itself by the name of the assembly; people type `actors`.
        return new Command("actors", "Every agency's installments become overdue at its own cutoff.")
        {
            help,
            new VersionOption(),
            options.Database,
            options.Data,
            UpCommand.Create(options),
            SiloCommand.Create(options),
            ApiCommand.Create(options),
            DownCommand.Create(options),
            DatabaseCommand.Create(options),
            ImportCommand.Create(options),
            KeyCommand.Create(options),
            CutoffCommand.Create(clock),
            MigrateCommand.Create(options),
            DoctorCommand.Create(options, clock),
            OpenApiCommand.Create(),
        };
    }

    /// <summary>Runs the command that the arguments name and returns the process's exit code.</summary>
    public static async Task<int> RunAsync(Command root, string[] arguments, TextWriter output, TextWriter error)
    {
        var parsed = root.Parse(arguments);
        var console = new InvocationConfiguration
        {
            Output = output,
            Error = error,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = TerminationLimit,
        };
        try
        {
            if (arguments.Length == 0)
            {
                await root.Parse("--help").InvokeAsync(new InvocationConfiguration { Output = error });
                return (int)ExitCode.Usage;
            }

            if (parsed.Errors.Count == 0)
                return await parsed.InvokeAsync(console);
            await error.WriteLineAsync(Complaint(parsed));
            return (int)ExitCode.Usage;
        }
        catch (OperationCanceledException)
        {
            await error.WriteLineAsync("Stopped.");
            return Interrupted;
        }
        catch (Exception e)
        {
            return await ExplainAsync(e, error);
        }
    }

    // One sentence about the first thing that is wrong: what follows mostly comes of it. That a command is missing is
    // said first by the library although it comes of a command's name that is mistyped.
    private static string Complaint(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        var path = PathOf(command);
        var hint = $"`{path} --help` lists what there is.";
        if (parsed.UnmatchedTokens is not [var stranger, ..])
            return $"{parsed.Errors[0].Message} {hint}";
        var words = command.Subcommands.Select(c => c.Name)
            .Concat(command.Options.Concat(command.Parents.OfType<Command>().SelectMany(p => p.Options))
                .Select(o => o.Name));
        var kind = stranger.StartsWith('-') ? "option" : "command or argument";
        var meant = NearestName.Of(stranger, words) is { } near ? $"; did you mean '{near}'?" : ".";
        return $"'{stranger}' is no {kind} of `{path}`{meant} {hint}";
    }

    // As it is typed: 'actors import plans'.
    private static string PathOf(Symbol command) =>
        command.Parents.FirstOrDefault() is { } parent ? $"{PathOf(parent)} {command.Name}" : command.Name;

    private static async Task<int> ExplainAsync(Exception exception, TextWriter error)
    {
        var trace = Environment.GetEnvironmentVariable("ACTORS_TRACE") is "1" or "true";
        var failure = exception as CommandFailure ?? DatabaseProbe.Explain(exception);
        if (failure is not null)
        {
            await error.WriteLineAsync(failure.Message);
        }
        else
        {
            var what = $"{exception.GetType().Name}: {exception.Message.ReplaceLineEndings(" ")}";
            await error.WriteLineAsync(
                $"Something unforeseen happened: {what} (ACTORS_TRACE=1 shows where; please report it with that.)");
        }

        if (trace)
            await error.WriteLineAsync(exception.ToString());
        return (int)(failure?.Code ?? ExitCode.Unexpected);
    }

    /// <summary>The library's help, and for the whole program also environment variables and exit codes.</summary>
    private sealed class HelpWithSurroundings(HelpAction inner) : SynchronousCommandLineAction
    {
        private const string Surroundings =
            """
            Of the script alone:
              test [filter]      Run all tests, or those whose name contains the filter.
              simulate           Run simulated worlds in which whatever can go wrong does (--help tells more).
              bench              Measure beside what a user would pick instead (--help tells more).

            Environment:
              ACTORS_DATABASE    The database, where --database does not name one.
              ACTORS_DATA        The folder of the embedded database, where --data does not name one.
              ACTORS_PORT        The HTTP port of `up`, `silo` and `api`, where --port does not name one.
              ACTORS_CLUSTER     The cluster of `up`, `silo` and `api`, which work together. Default: actors.
              ACTORS_POOLER      The pooler of `up`, `silo` and `api`, where --pooler does not name one.
              ACTORS_SERVICE     Whose reminders they keep, over all clusters. Default: actors.
              ACTORS_API_DATABASE
                                 The database with the login of the API, where --api-database does not name it.
              ACTORS_JWT_ISSUER, ACTORS_JWT_AUDIENCE, ACTORS_JWT_JWKS_URL or ACTORS_JWT_SECRET
                                 Whose tokens the API takes; without them API keys alone. Audience: authenticated.
              ACTORS_LIMIT_READS, ACTORS_LIMIT_TRIGGERS, ACTORS_LIMIT_FAILURES
                                 Requests a second, of one caller (100, 20) and from an address without one (10).
              ACTORS_TRACE       1: show the stack trace of a failure.

            Exit codes:
              0   done
              1   something unforeseen; the message says what
              2   the command line is wrong
              3   bad input: a file, zone, time or id; nothing was changed
              4   the database does not answer
              5   the database cannot be used: older than 15, read-only, or not one of ours
              6   the database refuses the login or a right
              7   the schema is behind, ahead, edited or incomplete
              8   the port is taken
              9   another command holds this embedded database
              10  no PostgreSQL is installed, and installing it needs a person
              11  `doctor` found something that needs a hand
              12  the folder of the embedded database cannot be used
              13  the other silos had declared this one dead, after it was frozen or cut off: start it again
              130 stopped by Ctrl-C or SIGTERM before it was done; an `up`, `silo` or `api` that was ready ends with 0
            """;

        // Who asks for help has not given the arguments yet.
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            var code = inner.Invoke(parseResult);
            if (!parseResult.CommandResult.Command.Parents.Any())
                parseResult.InvocationConfiguration.Output.WriteLine(Surroundings);
            return code;
        }
    }
}
