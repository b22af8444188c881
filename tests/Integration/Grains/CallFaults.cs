using Actors.Grains.Interfaces;

namespace Actors.Tests.Integration.Grains;

/// <summary>What may happen to a call of an agency on its way, or to its answer.</summary>
internal sealed class CallFaults : IOutgoingGrainCallFilter
{
    private readonly Lock _door = new();
    private readonly Dictionary<Guid, Fault> _awaited = [];

    /// <summary>
    /// The next call to this agency dies with the silo that it is sent to: no answer comes, and no error either. Ends
    /// when that has happened.
    /// </summary>
    public Task LoseNextTo(Guid agency) => Expect(agency, answer: null).Happened.Task;

    /// <summary>
    /// The answer to the next call of this agency is on its way until the caller lets it arrive. Ends when it is.
    /// </summary>
    public Task HoldNextAnswerOf(Guid agency, Task arrival) => Expect(agency, arrival).Happened.Task;

    public Task Invoke(IOutgoingGrainCallContext context)
    {
        if (context.InterfaceMethod.DeclaringType != typeof(IAgencyGrain)) return context.Invoke();
        Fault? fault;
        lock (_door) _awaited.Remove(context.TargetId.GetGuidKey(), out fault);
        return fault is null ? context.Invoke() : fault.HappenAsync(context);
    }

    private Fault Expect(Guid agency, Task? answer)
    {
        var fault = new Fault(answer);
        lock (_door) _awaited.Add(agency, fault);
        return fault;
    }

    private sealed class Fault(Task? answer)
    {
        public TaskCompletionSource Happened { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public async Task HappenAsync(IOutgoingGrainCallContext context)
        {
            if (answer is not null) await context.Invoke();
            Happened.SetResult();
            await (answer ?? new TaskCompletionSource().Task);
        }
    }
}
