using System.Net.Sockets;
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
                : HealthCheckResult.Unhealthy("The database can only be read: it is a standby, or made read-only.");
        }
        catch (NpgsqlException failure)
        {
            return HealthCheckResult.Unhealthy(Sentence(failure), failure);
        }
    }

    /// <summary>Without the server's own words, which may name logins and hosts.</summary>
    internal static string Sentence(NpgsqlException failure) => failure switch
    {
        PostgresException { SqlState: PostgresErrorCodes.TooManyConnections } =>
            "The database takes no more connections: its limit, or that of the login, is reached.",
        PostgresException { SqlState: PostgresErrorCodes.CannotConnectNow } =>
            "The database is starting up or shutting down.",
        PostgresException { SqlState: PostgresErrorCodes.InvalidPassword
            or PostgresErrorCodes.InvalidAuthorizationSpecification } =>
            "The database does not let the login in.",
        PostgresException { SqlState: PostgresErrorCodes.InvalidCatalogName } => "The database does not exist.",
        PostgresException { SqlState: PostgresErrorCodes.DiskFull } => "The database's disk is full.",
        { InnerException: SocketException or IOException or TimeoutException } => "The database does not answer.",
        PostgresException => "The database refuses the question; the server's log tells more.",
        _ => "The database does not answer, or no connection to it is free.",
    };
}
