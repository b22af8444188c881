using System.Text.RegularExpressions;
using Actors.Silo.CommandLine;
using Npgsql;

namespace Actors.Silo.Migrations;

/// <summary>Turns what the database refused into a sentence that says what to do, and an exit code.</summary>
internal static partial class MigrationFailure
{
    /// <param name="error">What Npgsql threw.</param>
    /// <param name="connection">Which database, as which login.</param>
    /// <param name="place">Where in the files, such as <c>sql/…/001_x.sql:12</c>; null outside of them.</param>
    public static CommandFailure From(NpgsqlException error, NpgsqlConnectionStringBuilder connection, string? place)
    {
        if (error is not PostgresException refused)
            return new CommandFailure(
                ExitCode.DatabaseUnreachable,
                $"The database {NameOf(connection)} does not answer: {error.Message} Is it running, and is the "
                + "address right?",
                error);

        var (code, advice) = AdviceOn(refused, connection);
        var what = (place is null ? "" : place + ": ") + refused.MessageText;
        var hint = refused.Hint is { Length: > 0 } text ? " " + text : "";
        return new CommandFailure(code, $"{Sentence(what)}{hint} {advice}".TrimEnd(), error);
    }

    public static CommandFailure TooOld(Version version) => new(
        ExitCode.DatabaseUnsuitable,
        $"This is PostgreSQL {version}; 15 or later is needed. Upgrade the server, or name another with --database.");

    public static CommandFailure StillWaiting(TimeSpan waited, NpgsqlConnectionStringBuilder connection) => new(
        ExitCode.DatabaseUnsuitable,
        $"Another migration of {NameOf(connection)} is still running after {waited.TotalSeconds:0.#} s of waiting. "
        + "Wait until it is done and run the command again; SELECT pid FROM pg_locks WHERE locktype = 'advisory' "
        + "shows which connection it is.");

    private static (ExitCode Code, string Advice) AdviceOn(
        PostgresException refused, NpgsqlConnectionStringBuilder connection) => refused.SqlState switch
    {
        PostgresErrorCodes.InsufficientPrivilege => (ExitCode.MissingRights, RightFor(refused, connection)),
        PostgresErrorCodes.LockNotAvailable => (
            ExitCode.DatabaseUnsuitable,
            "Somebody's transaction holds a lock on that table. Waiting for it would make everybody else wait too: end "
            + "it, then run the command again. To see it: SELECT pid, xact_start, query FROM pg_stat_activity "
            + "WHERE xact_start IS NOT NULL ORDER BY xact_start;"),
        PostgresErrorCodes.ReadOnlySqlTransaction => (
            ExitCode.DatabaseUnsuitable, "This database is read-only: name the primary server with --database."),
        PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification
            or PostgresErrorCodes.InvalidCatalogName or PostgresErrorCodes.CannotConnectNow
            or PostgresErrorCodes.TooManyConnections => (ExitCode.DatabaseUnreachable, "Check --database."),
        PostgresErrorCodes.RaiseException => (ExitCode.SchemaMismatch, ""),
        _ => (ExitCode.DatabaseUnsuitable, ""),
    };

    private static string RightFor(PostgresException refused, NpgsqlConnectionStringBuilder connection)
    {
        var login = connection.Username;
        if (refused.Hint is { Length: > 0 }) return "";
        if (MustOwn().Match(refused.MessageText) is { Success: true } owned)
            return $"The login {login} must own the {owned.Groups["kind"].Value} {owned.Groups["name"].Value}, or be a "
                + "member of the role that does: run this as its owner.";
        if (Denied().Match(refused.MessageText) is not { Success: true } denied)
            return $"The login {login} lacks a right: run this as the owner of the database, with CREATEROLE.";

        var name = denied.Groups["name"].Value;
        return denied.Groups["kind"].Value switch
        {
            "database" => $"As its owner: GRANT CREATE ON DATABASE {name} TO {login}; or run this as its owner.",
            "schema" when name == "actors" =>
                $"The login {login} may not read the migrations' history: run this as the owner of the database, "
                + $"or, for a silo's login, GRANT service_role TO {login};",
            "schema" => $"As its owner: GRANT USAGE, CREATE ON SCHEMA {name} TO {login}; or run this as the owner "
                + "of the database.",
            var kind => $"The login {login} may not use the {kind} {name}: run this as the owner of the database, or, "
                + $"for a silo's login, GRANT service_role TO {login};",
        };
    }

    private static string Sentence(string text) => text.EndsWith('.') ? text : text + ".";

    private static string NameOf(NpgsqlConnectionStringBuilder connection) =>
        $"{connection.Database ?? connection.Username} at {connection.Host}:{connection.Port}";

    [GeneratedRegex("must be owner of (?<kind>[a-z ]+) (?<name>.+)$")]
    private static partial Regex MustOwn();

    [GeneratedRegex("permission denied for (?<kind>[a-z]+) (?<name>.+)$")]
    private static partial Regex Denied();
}
