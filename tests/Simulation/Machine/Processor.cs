using System.Collections.Concurrent;

namespace Actors.Tests.Simulation.Machine;

/// <summary>
/// The one thread on which the code of all silos runs, a turn at a time, in the order in which turns became ready.
/// What Npgsql does on threads of its own ends in a turn too; the world delivers it one answer at a time, and waits for
/// that turn before it goes on, so that the order never depends on the machine.
/// </summary>
internal sealed class Processor : IDisposable
{
    private readonly ConcurrentQueue<Turn> _ready = new();
    private readonly AutoResetEvent _posted = new(false);

    private long _turns;

    public bool IsIdle => _ready.IsEmpty;

    /// <summary>How many turns have become ready so far.</summary>
    public long Turns => Interlocked.Read(ref _turns);

    public void Post(SiloThread thread, SendOrPostCallback callback, object? state)
    {
        // What its connections say when they are cut is not what the world waits for.
        if (thread.IsDead) return;
        _ready.Enqueue(new Turn(thread, callback, state));
        Interlocked.Increment(ref _turns);
        try
        {
            _posted.Set();
        }
        catch (ObjectDisposedException)
        {
            // The world has ended, by a violation or with its server, and nobody waits.
        }
    }

    /// <summary>Runs what is ready, and what becomes ready by that.</summary>
    public void RunAll()
    {
        while (_ready.TryDequeue(out var turn))
        {
            if (turn.Thread.IsDead) continue;
            if (turn.Thread.IsFrozen) turn.Thread.Deferred.Enqueue(turn);
            else Run(turn);
        }
    }

    /// <summary>Waits, in real time, a moment for one more turn, which another thread is about to post.</summary>
    /// <param name="turns">How many there were before.</param>
    public bool HasMoreThan(long turns)
    {
        for (var spin = 0; spin < 20 && Turns == turns; spin++) Thread.SpinWait(50);
        if (Turns == turns) _posted.WaitOne(1);
        return Turns > turns;
    }

    /// <summary>Lets a process that was frozen go on where it stood.</summary>
    public void Thaw(SiloThread thread)
    {
        thread.IsFrozen = false;
        while (thread.Deferred.TryDequeue(out var turn)) _ready.Enqueue(turn);
    }

    public void Dispose() => _posted.Dispose();

    private static void Run(Turn turn)
    {
        var before = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(turn.Thread);
        try
        {
            turn.Callback(turn.State);
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(before);
        }
    }
}

/// <summary>A piece of code that runs without a break.</summary>
internal readonly record struct Turn(SiloThread Thread, SendOrPostCallback Callback, object? State);

/// <summary>
/// What the code of one process runs under. Once it is dead none of its code runs any more, no `finally` either: that
/// is what kill -9 does.
/// </summary>
internal sealed class SiloThread(Processor processor) : SynchronizationContext
{
    private volatile bool _isDead;

    public bool IsDead
    {
        get => _isDead;
        set => _isDead = value;
    }

    public bool IsFrozen { get; set; }

    public Queue<Turn> Deferred { get; } = new();

    public override void Post(SendOrPostCallback d, object? state) => processor.Post(this, d, state);

    public override void Send(SendOrPostCallback d, object? state) =>
        throw new NotSupportedException("Nothing in a silo waits for its own thread.");

    public override SynchronizationContext CreateCopy() => this;

    /// <summary>Starts work of this process; what it throws ends the simulation.</summary>
    public void Start(Func<Task> work) => Post(static state => _ = ((Func<Task>)state!)(), work);
}
