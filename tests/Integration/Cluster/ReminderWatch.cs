using Orleans.Reminders.Diagnostics;

namespace Actors.Tests.Integration.Cluster;

/// <summary>
/// Follows what the silos of one cluster do with reminders, from the events that Orleans emits, so that a test waits
/// for what has happened and for nothing else. Silos are told apart by their port: every cluster of the process emits
/// into the same stream.
/// </summary>
internal sealed class ReminderWatch : IObserver<ReminderEvents.ReminderEvent>, IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly Lock _lock = new();
    private readonly HashSet<int> _ports = [];
    private readonly Dictionary<object, Timer> _timers = [];
    private readonly HashSet<object> _stopped = [];
    private readonly List<Tick> _ticks = [];
    private readonly List<Waiter> _waiters = [];
    private readonly IDisposable _subscription;

    public ReminderWatch() => _subscription = ReminderEvents.AllEvents.Subscribe(this);

    /// <summary>A tick that a grain has answered.</summary>
    public sealed record Tick(GrainId Grain, string Name, int Port, DateTime At, bool Failed);

    /// <summary>A reminder that a silo keeps in memory; armed once it waits for its next tick.</summary>
    public sealed record Timer(GrainId Grain, string Name, int Port, bool Armed);

    /// <summary>The reminders in memory and the ticks answered, at one moment.</summary>
    public sealed record State(IReadOnlyCollection<Timer> Timers, IReadOnlyList<Tick> Ticks)
    {
        public IEnumerable<Tick> TicksOf(GrainId grain, string name) =>
            Ticks.Where(tick => tick.Grain == grain && tick.Name == name);

        /// <summary>Exactly one silo keeps this reminder, and it waits for the next tick.</summary>
        public bool IsArmedOnce(GrainId grain, string name) =>
            Timers.Where(timer => timer.Grain == grain && timer.Name == name).Take(2).ToList() is [{ Armed: true }];
    }

    private sealed record Waiter(Func<State, bool> Condition, TaskCompletionSource<State> Done);

    public void Follow(int siloPort)
    {
        lock (_lock) _ports.Add(siloPort);
    }

    /// <summary>Waits until the condition holds, for a minute at most.</summary>
    public async Task<State> UntilAsync(string what, Func<State, bool> condition)
    {
        var waiter = new Waiter(condition, new(TaskCreationOptions.RunContinuationsAsynchronously));
        lock (_lock)
        {
            _waiters.Add(waiter);
            Wake();
        }

        try
        {
            return await waiter.Done.Task.WaitAsync(Limit);
        }
        catch (TimeoutException timeout)
        {
            lock (_lock)
            {
                _waiters.Remove(waiter);
                throw new TimeoutException(
                    $"In {Limit} it never came that {what}; {_timers.Count} timers, {_ticks.Count} ticks.", timeout);
            }
        }
    }

    public void OnNext(ReminderEvents.ReminderEvent value)
    {
        var port = value.SiloAddress?.Endpoint.Port ?? 0;
        lock (_lock)
        {
            if (!_ports.Contains(port)) return;
            Apply(value, port);
            Wake();
        }
    }

    public void OnCompleted()
    {
    }

    public void OnError(Exception error)
    {
    }

    public void Dispose() => _subscription.Dispose();

    private void Apply(ReminderEvents.ReminderEvent value, int port)
    {
        switch (value)
        {
            // Starting and arming are told from two threads, in either order; so are, at the end, arming and stopping.
            case ReminderEvents.LocalReminderStarted started when !_stopped.Contains(started.Identity):
                _timers.TryAdd(started.Identity, new Timer(value.GrainId, value.ReminderName, port, Armed: false));
                break;
            case ReminderEvents.LocalReminderTickWaitArmed armed when !_stopped.Contains(armed.Identity):
                _timers[armed.Identity] = new Timer(value.GrainId, value.ReminderName, port, Armed: true);
                break;
            case ReminderEvents.LocalReminderStopped stopped:
                _stopped.Add(stopped.Identity);
                _timers.Remove(stopped.Identity);
                break;
            case ReminderEvents.TickFiring:
                foreach (var (identity, timer) in _timers)
                    if (timer.Grain == value.GrainId && timer.Name == value.ReminderName && timer.Port == port)
                        _timers[identity] = timer with { Armed = false };
                break;
            case ReminderEvents.TickCompleted completed:
                AddTick(value, completed.Status, port, failed: false);
                break;
            case ReminderEvents.TickFailed failed:
                AddTick(value, failed.Status, port, failed: true);
                break;
        }
    }

    private void AddTick(ReminderEvents.ReminderEvent value, TickStatus status, int port, bool failed) =>
        _ticks.Add(new Tick(value.GrainId, value.ReminderName, port, status.CurrentTickTime, failed));

    private void Wake()
    {
        if (_waiters.Count == 0) return;
        var state = new State([.. _timers.Values], [.. _ticks]);
        for (var i = _waiters.Count - 1; i >= 0; i--)
        {
            if (!_waiters[i].Condition(state)) continue;
            _waiters[i].Done.SetResult(state);
            _waiters.RemoveAt(i);
        }
    }
}
