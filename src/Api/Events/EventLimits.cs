namespace Actors.Api.Events;

/// <summary>How events are sent, and for how long they are kept.</summary>
public sealed record EventLimits
{
    /// <summary>The most streams that one process holds open; more are answered 503.</summary>
    public int MostStreams { get; init; } = 200;

    /// <summary>The most of them that one caller holds open; more are answered 429.</summary>
    public int MostStreamsOfOne { get; init; } = 10;

    /// <summary>The most events that one stream reads, and so holds in memory, at once.</summary>
    public int BatchSize { get; init; } = 100;

    /// <summary>
    /// How often a stream says that it is alive. At the same time it is looked whether its credential is still good.
    /// </summary>
    public TimeSpan HeartbeatEvery { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How often to look for events without a nudge from PostgreSQL, which can be lost.</summary>
    public TimeSpan LookEvery { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>What a client waits before it connects again, when it does so by itself.</summary>
    public TimeSpan ReconnectAfter { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long events are kept, and so how long a client may stay away without missing any.</summary>
    public TimeSpan KeepEvents { get; init; } = TimeSpan.FromDays(7);

    /// <summary>How long requests for runs are kept, and with them their Idempotency-Keys; at least a day.</summary>
    public TimeSpan KeepRunRequests { get; init; } = TimeSpan.FromDays(7);

    /// <summary>How often what is older is deleted.</summary>
    public TimeSpan TrimEvery { get; init; } = TimeSpan.FromHours(1);
}

/// <summary>
/// Where to listen for PostgreSQL's nudges: straight to the server, since LISTEN belongs to a session, which a pooler
/// in transaction mode would not keep. A host that gives none is told of events when it looks.
/// </summary>
public sealed record EventListening(string ConnectionString);
