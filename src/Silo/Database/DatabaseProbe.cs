using System.Globalization;
using System.Net.Sockets;
using Actors.Silo.CommandLine;
using Npgsql;

namespace Actors.Silo.Database;

/// <summary>
/// Asks a database that somebody named whether it can be used, and turns what PostgreSQL or the network says into a
/// sentence for that person. The password never is in it.
/// </summary>
public static class DatabaseProbe
{
    /// <summary>PostgreSQL 15, as `server_version_num` counts.</summary>
    private const int OldestVersionNumber = 150000;

    private const string Question =
        """
        SELECT current_setting('server_version_num')::int, current_setting('server_version'), pg_is_in_recovery(),
               current_setting('transaction_read_only')::bool
        """;

    /// <summary>Connects once and asks for version and writability.</summary>
    /// <exception cref="CommandFailure">
    /// <see cref="ExitCode.DatabaseUnreachable"/>, <see cref="ExitCode.DatabaseUnsuitable"/> (older than 15, read-only,
    /// no such database) or <see cref="ExitCode.MissingRights"/> (wrong login or password).
    /// </exception>
    public static async Task EnsureUsableAsync(string connectionString, CancellationToken cancellationToken)
    {
        var target = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false };
        try
        {
            await using var connection = OwnConnection.To(target.ConnectionString);
            await connection.OpenAsync(cancellationToken);
            await using var command = new NpgsqlCommand(Question, connection);
            await using var answer = await command.ExecuteReaderAsync(cancellationToken);
            await answer.ReadAsync(cancellationToken);
            var refusal = Refusal(
                Name(target), answer.GetInt32(0), answer.GetString(1), answer.GetBoolean(2), answer.GetBoolean(3));
            if (refusal is not null)
                throw refusal;
        }
        catch (Exception e) when (Explain(e, target.ConnectionString) is not null)
        {
            throw Explain(e, target.ConnectionString)!;
        }
    }

    /// <summary>
    /// The failure that an exception from the database means for the person at the command line, or null when it is no
    /// matter of reaching, using or being allowed to use the database.
    /// </summary>
    /// <param name="exception">As thrown by Npgsql.</param>
    /// <param name="connectionString">Whom we talked to; null where that is not known.</param>
    public static CommandFailure? Explain(Exception exception, string? connectionString = null)
    {
        var target = connectionString is null ? null : new NpgsqlConnectionStringBuilder(connectionString);
        var name = target is null ? "The database" : Name(target);
        return exception switch
        {
            PostgresException refused => ExplainRefusal(refused, name, target?.Username),
            NpgsqlException { InnerException: SocketException or TimeoutException or IOException } lost =>
                new CommandFailure(
                    ExitCode.DatabaseUnreachable,
                    $"{name} does not answer ({Reason(lost)}): check that PostgreSQL runs there and that host "
                    + "and port are right.",
                    lost),
            NpgsqlException other when other.IsTransient || other.GetType() == typeof(NpgsqlException) =>
                new CommandFailure(
                    ExitCode.DatabaseUnreachable, $"{name} cannot be talked to: {other.Message.TrimEnd('.')}.", other),
            _ => null,
        };
    }

    /// <summary>Why a server cannot be used, or null when it can.</summary>
    internal static CommandFailure? Refusal(
        string name, int versionNumber, string version, bool isStandby, bool isReadOnly)
    {
        if (versionNumber < OldestVersionNumber)
        {
            return new CommandFailure(
                ExitCode.DatabaseUnsuitable,
                $"{name} is PostgreSQL {version}; version 15 or later is needed: upgrade it, or name another one.");
        }

        if (isStandby)
        {
            return new CommandFailure(
                ExitCode.DatabaseUnsuitable,
                $"{name} is a standby, which can only be read: name the primary server.");
        }

        return isReadOnly
            ? new CommandFailure(
                ExitCode.DatabaseUnsuitable,
                $"{name} is read-only for this login (default_transaction_read_only is on): use a login, or a "
                + "server, that may write.")
            : null;
    }

    private static CommandFailure? ExplainRefusal(PostgresException refused, string name, string? login)
    {
        var said = refused.MessageText.TrimEnd('.');
        return refused.SqlState switch
        {
            PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification =>
                new CommandFailure(
                    ExitCode.MissingRights,
                    $"{name} does not let login '{login}' in ({said}): check user name, password and the server's "
                    + "pg_hba.conf.",
                    refused),
            PostgresErrorCodes.InsufficientPrivilege => new CommandFailure(
                ExitCode.MissingRights,
                $"{name} refuses a right that this needs ({said}): use the login that owns the database, or grant it.",
                refused),
            PostgresErrorCodes.InvalidCatalogName => new CommandFailure(
                ExitCode.DatabaseUnsuitable,
                $"{name} does not exist: create it, or name another one.",
                refused),
            PostgresErrorCodes.ReadOnlySqlTransaction => new CommandFailure(
                ExitCode.DatabaseUnsuitable,
                $"{name} is read-only ({said}): use a login, or a server, that may write.",
                refused),
            PostgresErrorCodes.CannotConnectNow or PostgresErrorCodes.TooManyConnections
                or PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown => new CommandFailure(
                    ExitCode.DatabaseUnreachable, $"{name} takes no connection now ({said}): try again soon.", refused),
            _ => null,
        };
    }

    private static string Reason(NpgsqlException lost) => lost.InnerException switch
    {
        SocketException socket => socket.SocketErrorCode switch
        {
            SocketError.ConnectionRefused => "connection refused",
            SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain => "the host's name is not known",
            _ => socket.Message,
        },
        TimeoutException => "no answer in time",
        _ => lost.Message,
    };

    private static string Name(NpgsqlConnectionStringBuilder target) => string.Create(
        CultureInfo.InvariantCulture,
        $"The database '{target.Database ?? target.Username}' at {target.Host}:{target.Port}");
}
