using Actors.Grains;
using Actors.Grains.Cutoffs;
using Actors.Grains.Interfaces;
using Xunit;

namespace Actors.Tests.Integration.Grains;

/// <summary>
/// A silo that stands still in the middle of a transaction must not keep its agencies from the others.
/// </summary>
public sealed class IdleTransactionTests(GrainWorld world) : IClassFixture<GrainWorld>
{
    [Fact]
    public async Task The_server_ends_a_transaction_over_watermarks_that_idles_for_ten_seconds()
    {
        var agency = await world.AddServedAgencyAsync("2031-09-01T17:00:00Z");
        await using var source = GrainDatabase.Connect(world.SiloConnectionString);
        await using var connection = await source.OpenConnectionAsync(CancellationToken.None);

        await using var transaction = await WatermarkTransaction.BeginAsync(
            connection, DatabaseClock.OfPostgres, CancellationToken.None);
        await transaction.LockAndReadAsync(new AgencyId(agency), CancellationToken.None);

        await using var command = transaction.CreateCommand("SHOW idle_in_transaction_session_timeout");
        Assert.Equal("10s", await command.ExecuteScalarAsync());
    }
}
