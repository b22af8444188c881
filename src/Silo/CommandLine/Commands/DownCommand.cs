using System.CommandLine;
using Actors.Silo.Database;

namespace Actors.Silo.CommandLine.Commands;

/// <summary>
/// `actors down` stops the embedded server where nobody uses it any more: after an `up` that was killed, or after
/// `actors database`. It does not stop an `up` that is alive; that one stops its server itself.
/// </summary>
public static class DownCommand
{
    public static Command Create(GlobalOptions options)
    {
        var command = new Command("down", "Stop an embedded database that a killed `up`, or `database`, left running.");
        command.SetAction((arguments, cancellationToken) => RunAsync(options, arguments, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(
        GlobalOptions options, ParseResult arguments, CancellationToken cancellationToken)
    {
        if (arguments.GetValue(options.Database) is not null)
        {
            throw new CommandFailure(
                ExitCode.Usage, "`down` stops the embedded database only; a server that you name is yours to stop.");
        }

        var embedded = options.Embedded(arguments);
        var stopped = await EmbeddedPostgres.DownAsync(embedded, cancellationToken);
        var folder = await EmbeddedPostgres.LocateAsync(embedded, cancellationToken);
        await arguments.InvocationConfiguration.Output.WriteLineAsync(stopped is { } process
            ? $"Stopped the embedded PostgreSQL (process {process}) in {folder}."
            : $"No embedded PostgreSQL is running in {folder}.");
        return (int)ExitCode.Ok;
    }
}
