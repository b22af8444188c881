using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;

namespace Actors.Api.Health;

/// <summary>Whether the database answers a statement.</summary>
internal sealed class DatabaseAnswers(ApiDatabase database) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            await using var probe = database.Source.CreateCommand("SELECT 1");
            await probe.ExecuteScalarAsync(cancellationToken);
            return HealthCheckResult.Healthy("The database answers.");
        }
        catch (NpgsqlException failure)
        {
            return HealthCheckResult.Unhealthy("The database does not answer.", failure);
        }
    }
}
