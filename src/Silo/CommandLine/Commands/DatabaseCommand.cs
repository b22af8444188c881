using System.CommandLine;
using Actors.Silo.Database;

namespace Actors.Silo.CommandLine.Commands;

/// <summary>
/// `actors database` prints the connection URL, alone on standard output, so that `psql "$(./actors database)"` works.
/// For that the embedded server is started and left up; `actors down` stops it. A named database is not asked.
/// </summary>
public static class DatabaseCommand
{
    public static Command Create(GlobalOptions options)
    {
        var command = new Command("database", "Print the database's connection URL, for psql or any other client.");
        command.SetAction((arguments, cancellationToken) => RunAsync(options, arguments, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(
        GlobalOptions options, ParseResult arguments, CancellationToken cancellationToken)
    {
        var console = arguments.InvocationConfiguration;
        if (options.DatabaseNamed(arguments) is { } name)
        {
            await console.Output.WriteLineAsync(DatabaseUrl.Format(DatabaseUrl.Parse(name)));
            return (int)ExitCode.Ok;
        }

        await using var embedded = await EmbeddedPostgres.StartAsync(
            options.Embedded(arguments) with { Purpose = EmbeddedPurpose.LeaveRunning }, cancellationToken);
        await console.Output.WriteLineAsync(embedded.OwnerUrl);
        if (!embedded.IsServed)
        {
            await console.Error.WriteLineAsync(
                $"The embedded PostgreSQL stays up on port {embedded.Port}; `actors down` stops it.");
        }

        return (int)ExitCode.Ok;
    }
}
