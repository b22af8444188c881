using Actors.Silo.Hosting;
using Actors.Tests.Support;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Hosting;

public sealed class ClockAgreesTests
{
    [Theory]
    [InlineData(0, HealthStatus.Healthy, "behind|ahead of")]
    [InlineData(10, HealthStatus.Degraded, "600 s ahead of")]
    [InlineData(-10, HealthStatus.Degraded, "600 s behind")]
    public async Task Readiness_tells_how_far_the_clocks_are_apart(int minutesAhead, HealthStatus status, string says)
    {
        await using var database = await TestDatabase.CreateEmptyAsync();
        var builder = new NpgsqlDataSourceBuilder(database.ConnectionString);
        builder.UseNodaTime();
        await using var source = builder.Build();

        var check = new ClockAgrees(source, new SkewedClock(TimeSpan.FromMinutes(minutesAhead)));
        var result = await check.CheckHealthAsync(new HealthCheckContext());

        Assert.Equal(status, result.Status);
        Assert.Matches(says, result.Description);
    }
}
