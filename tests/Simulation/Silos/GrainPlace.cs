using Orleans.Timers;

namespace Actors.Tests.Simulation.Silos;

/// <summary>
/// What a grain sees of Orleans: its id, its silo, and its timer. The grains are the real ones; they ask for nothing
/// else, and what they would ask for one day fails here by name.
/// </summary>
internal sealed class GrainPlace(GrainId id, SimulatedSilo silo) : IGrainContext, IServiceProvider
{
    public GrainId GrainId => id;

    public IServiceProvider ActivationServices => this;

    /// <summary>What the grain does whenever each of its timers comes, in the order in which it made them.</summary>
    public List<Func<Task>> Timers { get; } = [];

    /// <summary>Called when the grain wants a timer to come after a while; only the first is ever changed.</summary>
    public Action<TimeSpan>? TimerChanged { get; set; }

    public object? GetService(Type serviceType) =>
        serviceType == typeof(IReminderRegistry) ? silo.Reminders
        : serviceType == typeof(IGrainRuntime) ? silo
        : null;

    public bool Equals(IGrainContext? other) => ReferenceEquals(this, other);

    public GrainReference GrainReference => throw Unasked();

    public object GrainInstance => throw Unasked();

    public ActivationId ActivationId => throw Unasked();

    public GrainAddress Address => throw Unasked();

    public IGrainLifecycle ObservableLifecycle => throw Unasked();

    public IWorkItemScheduler Scheduler => throw Unasked();

    public Task Deactivated => throw Unasked();

    public void SetComponent<TComponent>(TComponent? value) where TComponent : class => throw Unasked();

    public object GetComponent(Type componentType) => throw Unasked();

    public object GetTarget() => throw Unasked();

    public void ReceiveMessage(object message) => throw Unasked();

    public void Activate(Dictionary<string, object>? requestContext, CancellationToken cancellationToken) =>
        throw Unasked();

    public void Deactivate(DeactivationReason deactivationReason, CancellationToken cancellationToken) =>
        throw Unasked();

    public void Rehydrate(IRehydrationContext context) => throw Unasked();

    public void Migrate(Dictionary<string, object>? requestContext, CancellationToken cancellationToken) =>
        throw Unasked();

    private static NotSupportedException Unasked() => new("No grain has asked for this before: simulate it.");
}

/// <summary>
/// The timers of grains: the world decides when they come, but for one that a grain wants to come soon.
/// </summary>
internal sealed class Timers : ITimerRegistry
{
    public IGrainTimer RegisterGrainTimer<TState>(
        IGrainContext grainContext, Func<TState, CancellationToken, Task> callback, TState state,
        GrainTimerCreationOptions options)
    {
        var place = (GrainPlace)grainContext;
        place.Timers.Add(() => callback(state, CancellationToken.None));
        return new Timer(place);
    }

    public IDisposable RegisterTimer(
        IGrainContext grainContext, Func<object?, Task> callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        throw new NotSupportedException("No grain has asked for this before: simulate it.");

    private sealed class Timer(GrainPlace place) : IGrainTimer
    {
        public void Change(TimeSpan dueTime, TimeSpan period) => place.TimerChanged?.Invoke(dueTime);

        public void Dispose()
        {
        }
    }
}
