using System.Diagnostics;
using Actors.Grains.Interfaces;

namespace Actors.Grains.Installments;

/// <summary>
/// The runs that may be done, kept until no agency waits for a batch any more, or for a few batches: before that a run
/// of many agencies is not done, and to have the database look whether it is costs as much as some of its agencies.
/// Of one silo, for all its workers. What is lost with the silo, or kept while a batch takes long, the sweep finds.
/// </summary>
internal sealed class RunsToLookAt
{
    private const int MostBatches = 8;

    private readonly OrderedDictionary<JobId, ActivityContext> _runs = [];
    private readonly Lock _lock = new();
    private int _batches;

    /// <summary>Keeps runs that a batch has written under, and the trace of that batch, the latest of each.</summary>
    public void Keep(IEnumerable<JobId> runs)
    {
        var trace = Activity.Current?.Context ?? default;
        lock (_lock)
        {
            foreach (var run in runs) _runs[run] = trace;
        }
    }

    /// <summary>
    /// After a batch: the runs to look at now, in the order in which they were kept first, each with its trace.
    /// </summary>
    public IReadOnlyList<KeyValuePair<JobId, ActivityContext>> TakeAfterBatch(bool isLast)
    {
        lock (_lock)
        {
            if (++_batches < MostBatches && !isLast) return [];
            KeyValuePair<JobId, ActivityContext>[] runs = [.. _runs];
            _runs.Clear();
            _batches = 0;
            return runs;
        }
    }
}
