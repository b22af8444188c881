using Actors.Silo.CommandLine;
using Npgsql;

namespace Actors.Silo.Import;

/// <summary>Says what the database's own errors mean to somebody who imports a file.</summary>
internal static class ImportFailure
{
    public static CommandFailure NoSuchColumn(string table, string column) => new(
        ExitCode.SchemaMismatch,
        $"The database has no column {column} in {table}; bring it up to date with: ./actors migrate up");

    /// <summary>The failure to show for an error of the database while <paramref name="table"/> was imported.</summary>
    public static CommandFailure From(NpgsqlException error, string table) => error is PostgresException refusal
        ? From(refusal, table)
        : new CommandFailure(
            ExitCode.DatabaseUnreachable,
            $"The connection to the database was lost ({error.Message}); run the same import again: what is there "
            + "already counts as unchanged.",
            error);

    private static CommandFailure From(PostgresException error, string table)
    {
        var (code, message) = error.SqlState switch
        {
            PostgresErrorCodes.InsufficientPrivilege => (ExitCode.MissingRights,
                $"The database login may not import into {table}: {error.MessageText}. "
                + "Import as the owner of the tables, or have the owner grant the right."),
            PostgresErrorCodes.ReadOnlySqlTransaction => (ExitCode.DatabaseUnsuitable,
                $"The database is read-only ({error.MessageText}); name the primary server with --database."),
            PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedColumn => (ExitCode.SchemaMismatch,
                $"The database is not as this import needs it: {error.MessageText}; "
                + "bring it up to date with: ./actors migrate up"),
            PostgresErrorCodes.NotNullViolation => (ExitCode.DatabaseUnsuitable,
                $"Column {error.ColumnName} of {error.TableName} must not be empty and has no default, and the file "
                + $"cannot fill it; give it one: ALTER TABLE {error.TableName} ALTER COLUMN {error.ColumnName} "
                + "SET DEFAULT …"),
            PostgresErrorCodes.UniqueViolation or PostgresErrorCodes.ForeignKeyViolation => (ExitCode.BadInput,
                $"The database refused a row: {error.MessageText} ({error.Detail}). Where another program changed "
                + "the same rows meanwhile, the same import works when it is run again."),
            _ when IsAway(error.SqlState) => (ExitCode.DatabaseUnreachable,
                $"The database went away: {error.MessageText}. Run the import again once it answers."),
            _ when IsAboutData(error.SqlState) => (ExitCode.BadInput,
                $"The database refused a row: {error.MessageText}"
                + (error.Detail is { } detail ? $" ({detail})." : ".")),
            _ => (ExitCode.Unexpected, $"The database failed with {error.SqlState}: {error.MessageText}."),
        };
        return new CommandFailure(code, $"{message} Nothing was imported.", error);
    }

    private static bool IsAway(string state) =>
        state.StartsWith("08", StringComparison.Ordinal) || state.StartsWith("57P", StringComparison.Ordinal);

    /// <summary>Class 22 is about a value, class 23 about a constraint.</summary>
    private static bool IsAboutData(string state) =>
        state.StartsWith("22", StringComparison.Ordinal) || state.StartsWith("23", StringComparison.Ordinal);
}
