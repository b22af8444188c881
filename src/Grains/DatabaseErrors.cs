using System.Net.Sockets;
using Actors.Grains.Interfaces;
using Npgsql;

namespace Actors.Grains;

/// <summary>The one place that tells which errors of the database are worth another try.</summary>
internal static class DatabaseErrors
{
    /// <summary>idle_in_transaction_session_timeout, which Npgsql has no name for.</summary>
    private const string IdleInTransactionSessionTimeout = "25P03";

    /// <summary>PostgreSQL's own function for RAISE in PL/pgSQL, which it names beside the error.</summary>
    private const string RaiseInPlPgSql = "exec_stmt_raise";

    /// <summary>
    /// True for what may pass by itself: lost connections, exhausted resources, a server that restarts or has turned
    /// read-only in a failover, serialization failures, deadlocks, lock and statement timeouts, a silo that stood still
    /// for too long. A transaction that ended in one of them has left nothing behind.
    /// </summary>
    public static bool IsTransient(Exception error) => error switch
    {
        AgencyIsBusyException or TableIsLockedException => true,
        PostgresException postgres => postgres.IsTransient || postgres.SqlState is
            PostgresErrorCodes.QueryCanceled or
            PostgresErrorCodes.LockNotAvailable or
            PostgresErrorCodes.ReadOnlySqlTransaction or
            IdleInTransactionSessionTimeout or
            PostgresErrorCodes.SerializationFailure or
            PostgresErrorCodes.DeadlockDetected,
        NpgsqlException or TimeoutException or SocketException or IOException => true,
        _ => false,
    };

    /// <summary>
    /// Those that say something of the database, or of the silo, and nothing of an agency: it is away, starting or
    /// stopping, read-only, or out of connections, memory or disk; a silo stood still for too long. A lost connection
    /// is one; an error of class 08 that a statement raised is none, since the connection that told it lives: a trigger
    /// of the application has asked another server. Nor is any that a trigger has raised in words of its own.
    /// </summary>
    public static bool IsOutage(Exception error) => error switch
    {
        PostgresException { Routine: RaiseInPlPgSql } => false,
        // By their classes: connection exceptions, insufficient resources, operator intervention.
        PostgresException postgres => postgres.SqlState
            is PostgresErrorCodes.ReadOnlySqlTransaction or IdleInTransactionSessionTimeout
            || postgres.SqlState[..2] is "53"
            || postgres.SqlState[..3] is "57P"
            || (postgres.SqlState[..2] is "08" && EndsConnection(postgres)),
        NpgsqlException or TimeoutException or SocketException or IOException => true,
        _ => false,
    };

    /// <summary>
    /// Those that an agency is not set aside for, nor an alert raised: it is well, and late when it is not tried again
    /// as soon as that passes. An outage; a whole table that somebody holds; the agency's own watermark that somebody
    /// holds, who is at work on it, or is a session that has died.
    /// </summary>
    public static bool IsNoFaultOfAgency(Exception error) =>
        error is AgencyIsHeldException or TableIsLockedException || IsOutage(error);

    /// <summary>
    /// Whether one agency of a batch may have brought it about, and the others would be well without it: whatever a
    /// statement raised, also where its code is one that passes by itself. A trigger of the application may use any.
    /// </summary>
    public static bool MayBeOfOneAgency(Exception error) => error is PostgresException postgres
        ? !EndsConnection(postgres) && !IsOutage(postgres)
        : !IsTransient(error);

    private static bool EndsConnection(PostgresException error) => error.InvariantSeverity is "FATAL" or "PANIC";

    /// <summary>A wait for a lock that took longer than we were ready to wait.</summary>
    public static bool IsLockTimeout(Exception error) =>
        error is PostgresException { SqlState: PostgresErrorCodes.LockNotAvailable };
}

/// <summary>Somebody else holds rows of the agency; it was taken out of its batch and deserves another try.</summary>
internal class AgencyIsBusyException(string message) : Exception(message);

/// <summary>What somebody else holds is its watermark: nothing can be written of it, no failure either.</summary>
internal sealed class AgencyIsHeldException(AgencyId agency)
    : AgencyIsBusyException($"agency {agency} is locked by another transaction");

/// <summary>Nobody can be marked while somebody holds a whole table, as who makes an index or alters it.</summary>
internal sealed class TableIsLockedException(string table, string mode, string holder, Exception inner) : Exception(
    $"table {table} is locked by another session ({mode}, {holder}), as by CREATE INDEX without "
    + "CONCURRENTLY, or by ALTER TABLE, also while it waits",
    inner);
