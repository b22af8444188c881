using Npgsql;

namespace Actors.Grains.Installments;

/// <summary>Tells whether another session keeps the marker from a whole table, or waits to.</summary>
internal static class LockedTable
{
    /// <summary>
    /// Of the tables that are written, and of those that are only read. Locks that do not conflict with that, such as
    /// VACUUM's and CREATE INDEX CONCURRENTLY's, are none. One that is not granted counts: PostgreSQL lets nobody past
    /// a session that waits for a table. `alerts` is not among them: only an agency that had failed needs it.
    /// </summary>
    private const string Find =
        """
        SELECT l.relation::regclass::text, l.mode, coalesce('process ' || l.pid || ' of the server', 'prepared')
        FROM pg_locks l
        JOIN (VALUES
          ('installments'::regclass, true), ('agency_runs', true), ('agency_cutoffs', true),
          ('payment_plans', false), ('agencies', false)
        ) AS t (relation, is_written) ON t.relation = l.relation
        WHERE l.locktype = 'relation'
          AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND l.pid IS DISTINCT FROM pg_backend_pid()
          AND (l.mode = 'AccessExclusiveLock'
            OR t.is_written AND l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock'))
        ORDER BY l.granted DESC, l.pid
        LIMIT 1
        """;

    /// <summary>One such table, how it is locked, and by whose transaction; null for none.</summary>
    public static async Task<(string Table, string Mode, string Holder)?> FindAsync(
        NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Find, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken)
            ? (reader.GetString(0), reader.GetString(1), reader.GetString(2))
            : null;
    }
}
