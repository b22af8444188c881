using Actors.Api.Access;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Actors.Api.Health;

/// <summary>
/// `/health/live` answers 200 while the process serves; `/health/ready` answers 200 when every readiness check is
/// passed, else 503, and names each check either way. Neither needs a key, and neither tells a secret.
/// </summary>
public static class Readiness
{
    private const string ReadyTag = "ready";

    /// <summary>A check that takes longer counts as failed.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(3);

    /// <summary>
    /// Adds a check that `/health/ready` asks. The description in its result is shown to everybody, so it is one
    /// sentence without secrets; the text of an exception that it throws is not shown.
    /// </summary>
    /// <param name="services">The host's services.</param>
    /// <param name="name">What is checked, such as `silo` or `schema`.</param>
    public static IServiceCollection AddReadinessCheck<TCheck>(this IServiceCollection services, string name)
        where TCheck : class, IHealthCheck
    {
        services.AddHealthChecks().AddCheck<TCheck>(name, HealthStatus.Unhealthy, [ReadyTag], Timeout);
        return services;
    }

    internal static void MapHealth(this IEndpointRouteBuilder routes)
    {
        routes.MapHealthChecks("/health/live", new HealthCheckOptions
        {
            Predicate = _ => false,
            ResponseWriter = (context, _) => context.Response.WriteAsJsonAsync(new LiveAnswer("live")),
        }).AllowAnonymous().IsNeverLimited();
        routes.MapHealthChecks("/health/ready", new HealthCheckOptions
        {
            Predicate = check => check.Tags.Contains(ReadyTag),
            ResponseWriter = (context, report) => context.Response.WriteAsJsonAsync(ReadyAnswer.From(report)),
        }).AllowAnonymous().IsNeverLimited();
    }
}
