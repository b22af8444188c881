using System.Text.Json;
using Actors.Api.Access;
using NodaTime;
using Npgsql;

namespace Actors.Api.Events;

/// <summary>Between which positions there are events; 0 and 0 before the first.</summary>
internal readonly record struct EventSpan(long First, long Last)
{
    /// <summary>Whether whoever has seen all up to this position can go on without having missed any.</summary>
    public bool Continues(long position) => position <= Last && position >= First - 1;
}

/// <summary>The table `events`: numbered and trimmed as the API itself, read as its callers.</summary>
internal sealed class EventStore(ApiDatabase database, CallerDatabase callers)
{
    /// <summary>Rows that one statement deletes, and statements in a row.</summary>
    private const int TrimmedAtOnce = 1_000, TrimsAtMost = 100;

    private const string Read =
        """
        SELECT position, kind, at, agency_id, job_id, alert_id, details::text
        FROM events
        WHERE position > $1
        ORDER BY position
        LIMIT $2
        """;

    /// <summary>Gives positions to what can be seen and has none, and answers between which they now lie.</summary>
    public async Task<EventSpan> NumberAsync(CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand(
            "SELECT first_position, last_position FROM actors.number_events()");
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        await row.ReadAsync(cancellationToken);
        return new EventSpan(row.GetInt64(0), row.GetInt64(1));
    }

    /// <summary>The events after a position that the caller may see, in order, up to a number.</summary>
    public async Task<IReadOnlyList<NotedEvent>> ReadAsync(
        Caller caller, long after, int atMost, CancellationToken cancellationToken)
    {
        await using var session = await callers.BeginAsync(caller, CallerAccess.Read, cancellationToken);
        return await session.ReadAsync(
            Read,
            row => new NotedEvent(row.GetInt64(0), row.GetString(1), new EventAnswer(
                row.GetFieldValue<Instant>(2), IdOrNull(row, 3), IdOrNull(row, 4), IdOrNull(row, 5),
                JsonSerializer.Deserialize<JsonElement>(row.GetString(6)))),
            cancellationToken,
            new NpgsqlParameter { Value = after }, new NpgsqlParameter { Value = atMost });
    }

    /// <summary>Deletes what is older, in steps that no other transaction waits for long.</summary>
    public async Task TrimAsync(EventLimits limits, CancellationToken cancellationToken)
    {
        await TrimAsync("actors.trim_events", limits.KeepEvents, cancellationToken);
        await TrimAsync("actors.trim_run_requests", limits.KeepRunRequests, cancellationToken);
    }

    private async Task TrimAsync(string function, TimeSpan keep, CancellationToken cancellationToken)
    {
        for (var trim = 0; trim < TrimsAtMost; trim++)
        {
            await using var command = database.Source.CreateCommand(
                $"SELECT {function}(make_interval(secs => $1), $2)");
            command.Parameters.Add(new() { Value = keep.TotalSeconds });
            command.Parameters.Add(new() { Value = TrimmedAtOnce });
            if ((int)(await command.ExecuteScalarAsync(cancellationToken))! < TrimmedAtOnce) return;
        }
    }

    private static Guid? IdOrNull(NpgsqlDataReader row, int column) =>
        row.IsDBNull(column) ? null : row.GetGuid(column);
}
