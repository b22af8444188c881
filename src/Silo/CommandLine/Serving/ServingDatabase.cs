using System.CommandLine;
using Actors.Silo.Database;
using Actors.Silo.Migrations;
using Npgsql;

namespace Actors.Silo.CommandLine.Serving;

/// <summary>
/// The database for a process that others depend on: it waits for one that is not there yet, and says so once, rather
/// than end and be started again and again. What a person must put right (a wrong password, a schema that is behind)
/// ends it.
/// </summary>
internal static class ServingDatabase
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    /// <summary>
    /// For `silo` and `api`, which change nothing: the database that is named, or the embedded one of an `up` that is
    /// ready, with the schema of this version.
    /// </summary>
    public static async Task<CommandDatabase> JoinAsync(
        GlobalOptions options, ParseResult arguments, CancellationToken cancellationToken)
    {
        var error = arguments.InvocationConfiguration.Error;
        string? said = null;
        while (true)
        {
            try
            {
                return await OpenAsync(options, arguments, cancellationToken);
            }
            catch (CommandFailure failure) when (failure.Code == ExitCode.DatabaseUnreachable)
            {
                if (failure.Message != said) await error.WriteLineAsync($"Waiting: {failure.Message}");
                said = failure.Message;
            }

            await Task.Delay(Pause, cancellationToken);
        }
    }

    /// <summary>As a line for people: which database, and as whom.</summary>
    public static string Describe(CommandDatabase database)
    {
        if (database.Embedded is { } embedded)
        {
            return FormattableString.Invariant(
                $"Database: embedded PostgreSQL on 127.0.0.1:{embedded.Port}, in {embedded.Folder}.");
        }

        var server = new NpgsqlConnectionStringBuilder(database.OwnerConnectionString);
        return FormattableString.Invariant(
            $"Database: '{server.Database}' on {server.Host}:{server.Port}, as {server.Username}.");
    }

    private static async Task<CommandDatabase> OpenAsync(
        GlobalOptions options, ParseResult arguments, CancellationToken cancellationToken)
    {
        var database = await CommandDatabase.OpenAsync(options, arguments, EmbeddedPurpose.Join, cancellationToken);
        try
        {
            await new MigrationRunner(database.SiloConnectionString).RequireCurrentAsync(cancellationToken);
            return database;
        }
        catch
        {
            await database.DisposeAsync();
            throw;
        }
    }
}
