using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;

namespace Actors.Api.Access;

/// <summary>Whether the API's login may act as every kind of caller, and look for API keys.</summary>
internal sealed class CallerRolesCheck(ApiDatabase database) : IHealthCheck
{
    private const string Sql =
        """
        SELECT coalesce(string_agg(role, ', ' ORDER BY place), ''),
               (SELECT count(*) = 2
                FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
                WHERE n.nspname = 'actors' AND p.proname IN ('find_api_key', 'note_api_key_use')
                  AND has_schema_privilege(n.oid, 'USAGE') AND has_function_privilege(p.oid, 'EXECUTE'))
        FROM unnest($1) WITH ORDINALITY AS asked (role, place)
        WHERE pg_has_role(session_user, to_regrole(role),
          CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END) IS NOT TRUE
        """;

    private static readonly string[] Roles = [.. Enum.GetValues<CallerRole>().Select(role => role.DatabaseRole())];

    public async Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            await using var ask = database.Source.CreateCommand(Sql);
            ask.Parameters.Add(new() { Value = Roles });
            await using var answer = await ask.ExecuteReaderAsync(cancellationToken);
            await answer.ReadAsync(cancellationToken);
            return (answer.GetString(0), answer.GetBoolean(1)) switch
            {
                ("", true) => HealthCheckResult.Healthy("The API's login may act as every kind of caller."),
                ("", false) => HealthCheckResult.Unhealthy(
                    "The API's login may not look for API keys: name the login actors_api with --api-database."),
                (var missing, _) => HealthCheckResult.Unhealthy(
                    $"The API's login may not act as {missing}: name the login actors_api with --api-database."),
            };
        }
        catch (NpgsqlException failure)
        {
            return HealthCheckResult.Unhealthy("The database does not answer.", failure);
        }
    }
}
