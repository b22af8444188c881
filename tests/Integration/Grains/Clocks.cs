using System.Collections.Concurrent;
using System.Threading.Channels;
using Microsoft.Extensions.Time.Testing;
using NodaTime;

namespace Actors.Tests.Integration.Grains;

/// <summary>The clock in the database's place: it stands still where the test has put it.</summary>
internal sealed class StandingClock : TimeProvider
{
    private long _ticks;

    public Instant Now
    {
        get => Instant.FromUnixTimeTicks(Interlocked.Read(ref _ticks));
        set => Interlocked.Exchange(ref _ticks, value.ToUnixTimeTicks());
    }

    public override DateTimeOffset GetUtcNow() => Now.ToDateTimeOffset();
}

/// <summary>The clock under the grains' pauses and timers: it tells which pause somebody has begun.</summary>
internal sealed class PauseClock : FakeTimeProvider
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly Channel<TimeSpan> _pauses = Channel.CreateUnbounded<TimeSpan>();
    private readonly ConcurrentDictionary<TimeSpan, bool> _set = new();

    /// <summary>Whether anybody has paused whom no test has waited for.</summary>
    public bool AnyBegun => _pauses.Reader.TryPeek(out _);

    /// <summary>The same clock, which forgets the pauses of earlier tests.</summary>
    public PauseClock Anew()
    {
        while (_pauses.Reader.TryRead(out _))
        {
        }

        _set.Clear();
        return this;
    }

    /// <summary>Waits until somebody pauses, answers for how long, and lets the pause pass.</summary>
    public async Task<TimeSpan> PassAsync()
    {
        var pause = await NextAsync();
        Advance(pause);
        return pause;
    }

    /// <summary>Waits until somebody pauses, and answers for how long.</summary>
    public Task<TimeSpan> NextAsync() => _pauses.Reader.ReadAsync().AsTask().WaitAsync(Limit);

    /// <summary>Whether a timer was set to go off after this time, now or earlier.</summary>
    public bool WasSetFor(TimeSpan dueTime) => _set.ContainsKey(dueTime);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new NotedTimer(base.CreateTimer(callback, state, dueTime, period), _set);
        if (dueTime > TimeSpan.Zero && period == Timeout.InfiniteTimeSpan) _pauses.Writer.TryWrite(dueTime);
        return timer;
    }

    private sealed class NotedTimer(ITimer timer, ConcurrentDictionary<TimeSpan, bool> set) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            var isChanged = timer.Change(dueTime, period);
            set[dueTime] = true;
            return isChanged;
        }

        public void Dispose() => timer.Dispose();

        public ValueTask DisposeAsync() => timer.DisposeAsync();
    }
}
