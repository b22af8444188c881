using Actors.Grains;
using Actors.Silo.Hosting;
using Actors.Tests.Integration.Grains;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using NodaTime;
using Xunit;

namespace Actors.Tests.Integration.Hosting;

/// <summary>A database that answers, and takes nothing.</summary>
public sealed class WritesSucceedTests(GrainWorld world) : IClassFixture<GrainWorld>
{
    private const string Refused =
        "The last write failed: The database can only be read: it is a standby, or made read-only.";

    [Theory]
    [InlineData("2031-01-10", "sweeps")]
    [InlineData("2031-01-11", "agency_runs")]
    public async Task A_write_that_fails_is_told_until_the_next_one_is_committed(string date, string table)
    {
        await world.ClearAsync();
        var agency = await world.AddServedAgencyAsync($"{date}T16:30:00Z");
        await SweptJustNowAsync();
        Assert.Equal(HealthStatus.Healthy, (await CheckAsync()).Status);
        await world.ExecuteAsync(
            $"""
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
            BEGIN
              PERFORM set_config('transaction_read_only', 'on', true);
              DELETE FROM agencies WHERE false;
              RETURN NEW;
            END $$;
            CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse();
            """);
        world.Clock.Now = GrainWorld.At($"{date}T17:00:00Z");

        if (table == "sweeps")
            await Assert.ThrowsAnyAsync<Exception>(() => world.Coordinator.SweepAsync());
        else
            await world.BringUpToDateAsync(agency);
        var refused = await CheckAsync();
        await world.ExecuteAsync("DROP FUNCTION refuse() CASCADE");

        Assert.Equal((HealthStatus.Unhealthy, Refused), (refused.Status, refused.Description));
        await world.BringUpToDateAsync(agency);
        Assert.Equal(HealthStatus.Healthy, (await CheckAsync()).Status);
    }

    [Fact]
    public async Task A_sweep_that_is_long_ago_is_told()
    {
        world.Clock.Now = await world.ReadAsync<Instant>("SELECT clock_timestamp() - interval '2 minutes'");
        await world.Coordinator.SweepAsync();
        Assert.Equal(HealthStatus.Degraded, (await CheckAsync()).Status);
        await SweptJustNowAsync();
        Assert.Equal(HealthStatus.Healthy, (await CheckAsync()).Status);
    }

    /// <summary>Of a world whose clock stands still anywhere: by the database's own.</summary>
    private Task SweptJustNowAsync() => world.ExecuteAsync("UPDATE sweeps SET swept_at = clock_timestamp()");

    private async Task<HealthCheckResult> CheckAsync()
    {
        await using var pool = GrainDatabase.Connect(world.SiloConnectionString);
        return await new WritesSucceed(world.Silo.Services.GetRequiredService<LastWrites>(), pool)
            .CheckHealthAsync(new HealthCheckContext(), TestContext.Current.CancellationToken);
    }
}
