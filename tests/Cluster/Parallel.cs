using Actors.Tests.Cluster;
using Xunit;
using Xunit.Sdk;
using Xunit.v3;

// All of them do little but wait: for a failure detector, a sweep, or the next cutoff. A fourth at once saves half a
// minute, and makes cutoffs late on two processors.
[assembly: Parallelization(Mode = ParallelMode.All, MaxThreads = 3)]
[assembly: TestCollectionOrderer(typeof(LongestFirst))]
[assembly: AssemblyFixture(typeof(FaultWorlds))]

namespace Actors.Tests.Cluster;

/// <summary>
/// So that the last to end is not one that has begun last. The two whose silos are of no use to others come first:
/// until they end there are fewer worlds to start.
/// </summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly string[] Order =
    [
        nameof(CutOffFromDatabaseTests), nameof(PartitionTests), nameof(SiloFaultTests), nameof(ClusterFaultTests),
        nameof(StatementFaultTests), nameof(DatabaseLimitTests), nameof(DatabaseFaultTests),
    ];

    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(
        IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection => [.. testCollections.OrderBy(Place)];

    private static int Place<TTestCollection>(TTestCollection collection) where TTestCollection : ITestCollection
    {
        var place = Array.FindIndex(
            Order, name => collection.TestCollectionDisplayName.Contains(name, StringComparison.Ordinal));
        return place < 0 ? Order.Length : place;
    }
}
