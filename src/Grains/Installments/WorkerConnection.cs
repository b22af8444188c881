using System.Data;
using System.Diagnostics.CodeAnalysis;
using Npgsql;

namespace Actors.Grains.Installments;

/// <summary>
/// The connection on which one worker marks batch after batch, kept while agencies wait. The pool hands out the one
/// that has rested longest: a burst would go round all of them, and each of PostgreSQL's processes has to find its way
/// into tables and memory that the last one knows already. As behind a pooler, the session is not reset between two
/// batches; after one that failed it goes back to the pool, which resets it.
/// </summary>
internal sealed class WorkerConnection(GrainDatabase database) : IAsyncDisposable
{
    private NpgsqlConnection? _connection;

    /// <summary>The one that is kept, or another where that was lost.</summary>
    public async Task<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken)
    {
        if (_connection is { State: ConnectionState.Open }) return _connection;
        await DisposeAsync();
        return _connection = await database.Source.OpenConnectionAsync(cancellationToken);
    }

    /// <summary>Gives it back to the pool; another may be opened.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "A connection that cannot be closed is lost: not the worker.")]
    public async ValueTask DisposeAsync()
    {
        if (_connection is not { } connection) return;
        _connection = null;
        try
        {
            await connection.DisposeAsync();
        }
        catch (Exception)
        {
            // Its transaction has ended before, and told what became of it.
        }
    }
}
