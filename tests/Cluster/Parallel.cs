using Actors.Tests.Cluster;
using Xunit;
using Xunit.Sdk;
using Xunit.v3;

// Each class has a server and silos of its own, and all of them do little but wait: for a failure detector, a sweep, or
// the next cutoff. A fourth at once saves half a minute, and makes cutoffs late on two processors.
[assembly: Parallelization(MaxThreads = 3)]
[assembly: TestCollectionOrderer(typeof(LongestFirst))]

namespace Actors.Tests.Cluster;

/// <summary>Classes whose tests are few and leave the database as it was: a world takes 10 s of processor.</summary>
[CollectionDefinition(Name)]
public sealed class SharedWorld : ICollectionFixture<FaultWorld>
{
    public const string Name = "a world for several";
}

/// <summary>So that the last to end is not one that has begun last.</summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly string[] Order =
    [
        nameof(SiloFaultTests), nameof(CutOffFromDatabaseTests), nameof(DatabaseFaultTests),
        nameof(DatabaseLimitTests), SharedWorld.Name, nameof(PartitionTests),
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
