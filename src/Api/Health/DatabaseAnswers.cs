using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;

namespace Actors.Api.Health;

/// <summary>Whether the database answers, and can be written; where not, what is wrong in a sentence.</summary>
internal sealed class DatabaseAnswers(ApiDatabase database) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            await using var probe = database.Source.CreateCommand("SELECT current_setting('transaction_read_only')");
            return await probe.ExecuteScalarAsync(cancellationToken) is "off"
                ? HealthCheckResult.Healthy("The database answers.")
                : HealthCheckResult.Unhealthy(DatabaseFailure.OnlyRead);
        }
        catch (NpgsqlException failure)
        {
            return HealthCheckResult.Unhealthy(DatabaseFailure.Sentence(failure), failure);
        }
    }
}
