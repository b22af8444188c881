namespace Actors.Grains.Jobs;

/// <summary>
/// Lets some pieces of work go on at once and the next ones wait, in the order in which they came. It belongs to one
/// grain and is used in that grain's turns, so it needs no lock.
/// </summary>
/// <param name="atOnce">How many go on at once, 1 or more.</param>
/// <param name="mostWaiting">How many may wait; what comes beyond is not taken.</param>
internal sealed class RunTurns(int atOnce, int mostWaiting)
{
    private readonly Queue<TaskCompletionSource> _waiting = new();
    private int _going;

    /// <summary>Whether work that came now would be taken.</summary>
    public bool HasRoom => _going < atOnce || _waiting.Count < mostWaiting;

    /// <summary>Does the work when its turn comes.</summary>
    /// <exception cref="OperationCanceledException">It waited, and <see cref="EndWaiting"/> was called.</exception>
    public async Task<T> TakeAsync<T>(Func<Task<T>> work)
    {
        if (_going < atOnce)
        {
            _going++;
        }
        else
        {
            var turn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Enqueue(turn);
            await turn.Task;
        }

        try
        {
            return await work();
        }
        finally
        {
            // The turn goes over to the next, or back.
            if (_waiting.TryDequeue(out var next)) next.SetResult();
            else _going--;
        }
    }

    /// <summary>What waits will not have its turn: the grain ends.</summary>
    public void EndWaiting()
    {
        while (_waiting.TryDequeue(out var turn)) turn.SetCanceled();
    }
}
