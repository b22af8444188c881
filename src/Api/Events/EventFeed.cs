using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Actors.Api.Events;

/// <summary>
/// Tells the streams of this process that there is something to read. PostgreSQL nudges it over one connection, and it
/// looks by itself every few seconds, so that a lost nudge costs those and nothing else. What it passes on is a
/// position, not events: each stream reads what its own caller may see, as fast as its client takes it.
/// </summary>
internal sealed partial class EventFeed(
    EventStore store, EventLimits limits, TimeProvider time, ILogger<EventFeed> logger,
    EventListening? listening = null) : BackgroundService
{
    private const string Channel = "actors_events";
    private static readonly TimeSpan ListenAgainAfter = TimeSpan.FromSeconds(5);

    // Nudges that come while one is being followed are one nudge.
    private readonly Channel<bool> _nudges = System.Threading.Channels.Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    private volatile TaskCompletionSource _moved = NewSignal();
    private long _position;

    /// <summary>Every event up to this position can be read.</summary>
    public long Position => Volatile.Read(ref _position);

    /// <summary>Ends when there is an event beyond this position.</summary>
    public Task BeyondAsync(long position)
    {
        // First the signal, then the position: what moves in between completes this very signal.
        var moved = _moved;
        return Position > position ? Task.CompletedTask : moved.Task;
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(
        FollowAsync(stoppingToken),
        LookAsync(stoppingToken),
        listening is null ? Task.CompletedTask : ListenAsync(listening, stoppingToken));

    private void Nudge() => _nudges.Writer.TryWrite(true);

    private async Task FollowAsync(CancellationToken stoppingToken)
    {
        var isLost = false;
        long? trimmed = null;
        await foreach (var _ in _nudges.Reader.ReadAllAsync(stoppingToken))
        {
            try
            {
                Publish((await store.NumberAsync(stoppingToken)).Last);
                if (isLost) LogBack();
                isLost = false;
                if (trimmed is { } at && time.GetElapsedTime(at) < limits.TrimEvery) continue;
                trimmed = time.GetTimestamp();
                await store.TrimAsync(limits, stoppingToken);
            }
            catch (Exception error) when (!stoppingToken.IsCancellationRequested)
            {
                // Whatever it was: the next look is as good, and the API must not stop for it.
                if (!isLost) LogLost(error.Message);
                isLost = true;
            }
        }
    }

    private void Publish(long position)
    {
        if (position == Position) return;
        Volatile.Write(ref _position, position);
        Interlocked.Exchange(ref _moved, NewSignal()).TrySetResult();
    }

    private async Task LookAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(limits.LookEvery, time);
        do Nudge();
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private async Task ListenAsync(EventListening where, CancellationToken stoppingToken)
    {
        var settings = new NpgsqlConnectionStringBuilder(where.ConnectionString)
        {
            ApplicationName = "actors-events",
            Pooling = false,
            KeepAlive = 30,
        };
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                // Without a name it would be called by its connection string in `/metrics`.
                await using var source = new NpgsqlDataSourceBuilder(settings.ConnectionString)
                {
                    Name = settings.ApplicationName,
                }.Build();
                await using var connection = await source.OpenConnectionAsync(stoppingToken);
                await using (var listen = new NpgsqlCommand($"LISTEN {Channel}", connection))
                    await listen.ExecuteNonQueryAsync(stoppingToken);
                while (true)
                {
                    // Also at the beginning: what came before it was heard by nobody.
                    Nudge();
                    await connection.WaitAsync(stoppingToken);
                }
            }
            catch (Exception error) when (!stoppingToken.IsCancellationRequested)
            {
                LogNotListening(limits.LookEvery, error.Message);
                await Task.Delay(ListenAgainAfter, time, stoppingToken);
            }
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "Events cannot be read, and streams wait until they can: {Error}")]
    private partial void LogLost(string error);

    [LoggerMessage(Level = LogLevel.Information, Message = "Events can be read again.")]
    private partial void LogBack();

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "Not listening for events, which are looked for every {Period} meanwhile: {Error}")]
    private partial void LogNotListening(TimeSpan period, string error);
}
