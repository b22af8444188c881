using System.Data;
using Npgsql;

namespace Actors.Api.Access;

/// <summary>What a caller's transaction is for.</summary>
public enum CallerAccess
{
    /// <summary>PostgreSQL refuses every change in it.</summary>
    Read,

    /// <summary>It may change what the caller's role may change.</summary>
    Write,
}

/// <summary>
/// The database as a caller sees it. Each transaction first takes the caller's role and claims, so that PostgreSQL's
/// rights and row-level security decide what is there; no statement of the API repeats them. Role and claims end with
/// the transaction, so a connection can be handed on, also by a pooler in transaction mode.
/// </summary>
public sealed class CallerDatabase(ApiDatabase database)
{
    /// <summary>A statement that takes longer is cancelled by PostgreSQL, in milliseconds.</summary>
    private const string StatementTimeout = "15000";

    /// <summary>
    /// A process that stands still for longer, in milliseconds, loses its transaction and with it the rows it locked.
    /// </summary>
    private const string IdleTimeout = "10000";

    /// <summary>
    /// Begins a transaction as this caller. All of its statements see one state of the database where it only reads.
    /// </summary>
    /// <exception cref="NpgsqlException">The database does not answer.</exception>
    /// <exception cref="InvalidOperationException">The API's login may not take the caller's role.</exception>
    public async Task<CallerSession> BeginAsync(
        Caller caller, CallerAccess access, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(caller);
        var isolation = access == CallerAccess.Read ? IsolationLevel.RepeatableRead : IsolationLevel.ReadCommitted;
        var connection = await database.Source.OpenConnectionAsync(cancellationToken);
        try
        {
            var transaction = await connection.BeginTransactionAsync(isolation, cancellationToken);
            await using var become = new NpgsqlCommand(
                """
                SELECT set_config('role', $1, true), set_config('request.jwt.claims', $2, true),
                       set_config('statement_timeout', $3, true), set_config('transaction_read_only', $4, true),
                       set_config('idle_in_transaction_session_timeout', $5, true)
                """,
                connection,
                transaction);
            become.Parameters.Add(new() { Value = caller.Role.DatabaseRole() });
            become.Parameters.Add(new() { Value = caller.Claims });
            become.Parameters.Add(new() { Value = StatementTimeout });
            become.Parameters.Add(new() { Value = access == CallerAccess.Read ? "on" : "off" });
            become.Parameters.Add(new() { Value = IdleTimeout });
            await become.ExecuteNonQueryAsync(cancellationToken);
            return new CallerSession(connection, transaction);
        }
        catch (PostgresException refusal) when (refusal.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            // The caller is not to blame; /health/ready says the same in a sentence for the operator.
            await connection.DisposeAsync();
            throw new InvalidOperationException(
                $"The API's login may not act as {caller.Role.DatabaseRole()}; use actors_api.", refusal);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }
}

/// <summary>One transaction of a caller; what is not committed is rolled back on disposal.</summary>
public sealed class CallerSession : IAsyncDisposable
{
    private readonly NpgsqlConnection _connection;
    private readonly NpgsqlTransaction _transaction;

    internal CallerSession(NpgsqlConnection connection, NpgsqlTransaction transaction) =>
        (_connection, _transaction) = (connection, transaction);

    /// <summary>A statement in this transaction; the caller of this method disposes of it.</summary>
    public NpgsqlCommand CreateCommand(string sql) => new(sql, _connection, _transaction);

    /// <summary>Reads all rows of a statement that bounds them itself.</summary>
    /// <param name="sql">With positional or named parameters.</param>
    /// <param name="read">Makes a value of the row at which the reader stands.</param>
    /// <param name="cancellationToken">Ends the statement.</param>
    /// <param name="parameters">The statement's parameters, in its order where they are positional.</param>
    public async Task<IReadOnlyList<T>> ReadAsync<T>(
        string sql, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken,
        params NpgsqlParameter[] parameters)
    {
        ArgumentNullException.ThrowIfNull(read);
        ArgumentNullException.ThrowIfNull(parameters);
        await using var command = CreateCommand(sql);
        command.Parameters.AddRange(parameters);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new List<T>();
        while (await reader.ReadAsync(cancellationToken)) rows.Add(read(reader));
        return rows;
    }

    /// <summary>Makes the changes of this transaction last.</summary>
    public Task CommitAsync(CancellationToken cancellationToken) => _transaction.CommitAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _transaction.DisposeAsync();
        await _connection.DisposeAsync();
    }
}
