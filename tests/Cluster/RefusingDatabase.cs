using Xunit;

namespace Actors.Tests.Cluster;

/// <summary>The classes whose database is up all the time share one, one after the other.</summary>
[CollectionDefinition(nameof(RefusingDatabase))]
public sealed class RefusingDatabase : ICollectionFixture<FaultWorld>;
