using NodaTime;

namespace Actors.Tests.Simulation.Machine;

/// <summary>
/// What is to happen at which simulated instant, and the clock itself: it stands still until the world goes on to the
/// next entry. Entries of one instant come in the order in which they were made.
/// </summary>
internal sealed class Agenda(Instant start) : TimeProvider
{
    private readonly PriorityQueue<Action, (Instant At, long Order)> _entries = new();
    private long _order;

    public Instant Now { get; private set; } = start;

    public Instant? Next => _entries.TryPeek(out _, out var key) ? key.At : null;

    public void At(Instant instant, Action happens) =>
        _entries.Enqueue(happens, (Instant.Max(instant, Now), _order++));

    public void After(Duration pause, Action happens) => At(Now + pause, happens);

    /// <summary>Moves the clock to an instant before or at the next entry.</summary>
    public void GoTo(Instant instant) => Now = Instant.Max(Now, instant);

    /// <summary>Moves the clock to the next entry and lets it happen.</summary>
    public void RunNext()
    {
        _entries.TryDequeue(out var happens, out var key);
        GoTo(key.At);
        happens!();
    }

    public override DateTimeOffset GetUtcNow() => Now.ToDateTimeOffset();

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Now.ToUnixTimeTicks();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>The timer under a grain's pause. It is an entry of the agenda like all else.</summary>
    private sealed class Timer(Agenda agenda, TimerCallback callback, object? state) : ITimer
    {
        private int _version;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            var version = ++_version;
            if (dueTime != Timeout.InfiniteTimeSpan)
                agenda.After(Duration.FromTimeSpan(dueTime), () => Fire(version, period));
            return true;
        }

        public void Dispose() => _version++;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        private void Fire(int version, TimeSpan period)
        {
            if (version != _version) return;
            if (period > TimeSpan.Zero) Change(period, period);
            callback(state);
        }
    }
}
