using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using Actors.Api.Access;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Npgsql;

namespace Actors.Api.Events;

/// <summary>
/// One client's stream: what happened after the position it has seen, in order and each event once, and then what
/// happens. It reads on only when the client has taken what was read before. It ends when the client goes, when its
/// credential is no longer good, and when the host stops; the database may come and go meanwhile.
/// </summary>
internal sealed class EventStream(
    EventStore store, EventFeed feed, EventLimits limits, TimeProvider time, IHostApplicationLifetime host)
{
    /// <param name="context">The request.</param>
    /// <param name="caller">As whom to read.</param>
    /// <param name="seen">The position after which to begin.</param>
    /// <param name="isReset">Whether the client asked for an earlier one, of which not all is left.</param>
    /// <param name="cancellationToken">The client is gone.</param>
    public async IAsyncEnumerable<SseItem<EventAnswer>> ReadAsync(
        HttpContext context, Caller caller, long seen, bool isReset,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, host.ApplicationStopping);
        yield return Item(isReset ? EventAnswer.Reset : EventAnswer.Ready, new EventAnswer(), seen);

        var beat = time.GetTimestamp();
        while (!ending.IsCancellationRequested)
        {
            if (time.GetElapsedTime(beat) >= limits.HeartbeatEvery)
            {
                beat = time.GetTimestamp();
                if (!await IsStillAdmittedAsync(context)) yield break;
                yield return Item(EventAnswer.Heartbeat, new EventAnswer());
            }

            var known = feed.Position;
            var events = known > seen ? await TryReadAsync(caller, seen, ending.Token) : [];
            foreach (var noted in events ?? [])
            {
                yield return Item(noted.Kind, noted.Answer, noted.Position);
                seen = noted.Position;
            }

            if (events?.Count == limits.BatchSize) continue;
            // What the caller may not see is passed over too.
            if (events is not null) seen = Math.Max(seen, known);
            var pause = limits.HeartbeatEvery - time.GetElapsedTime(beat);
            await WaitAsync(events is null ? Task.Delay(limits.LookEvery, time, ending.Token) : feed.BeyondAsync(seen),
                pause, ending.Token);
        }
    }

    private SseItem<EventAnswer> Item(string kind, EventAnswer answer, long? position = null) => new(answer, kind)
    {
        EventId = position?.ToString(System.Globalization.CultureInfo.InvariantCulture),
        ReconnectionInterval = kind is EventAnswer.Ready or EventAnswer.Reset ? limits.ReconnectAfter : null,
    };

    /// <summary>Null where the database does not answer: the client need not know, and would only come again.</summary>
    private async Task<IReadOnlyList<NotedEvent>?> TryReadAsync(
        Caller caller, long seen, CancellationToken cancellationToken)
    {
        try
        {
            return await store.ReadAsync(caller, seen, limits.BatchSize, cancellationToken);
        }
        catch (Exception error) when (error is NpgsqlException { IsTransient: true } or OperationCanceledException)
        {
            return null;
        }
    }

    /// <summary>Ends when the task does, when the pause is over, or when the stream is to end; never faults.</summary>
    private async Task WaitAsync(Task task, TimeSpan pause, CancellationToken cancellationToken)
    {
        if (pause <= TimeSpan.Zero) return;
        await task.WaitAsync(pause, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Not knowing is never a refusal: whoever cannot be asked now is asked at the next heartbeat.</summary>
    private static async Task<bool> IsStillAdmittedAsync(HttpContext context)
    {
        try
        {
            return await Readmission.IsStillAdmittedAsync(context);
        }
        catch (Exception error) when (error is NpgsqlException { IsTransient: true }
            or SigningKeysUnavailableException or TooManyKeysException)
        {
            return true;
        }
    }
}
