using Actors.Api.Access;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Actors.Api.Health;

/// <summary>
/// `/health/live` answers 200 while the process serves; `/health/ready` answers 200 when every readiness check is
/// passed, else 503, and names each check either way. Neither needs a key, and neither tells a secret. However many
/// ask, the checks are made once at a time (<see cref="SharedReadiness"/>).
/// </summary>
public static class Readiness
{
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
        services.AddHealthChecks().AddCheck<TCheck>(name, HealthStatus.Unhealthy, [SharedReadiness.Tag], Timeout);
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<SharedReadiness>();
        return services;
    }

    internal static void MapHealth(this IEndpointRouteBuilder routes)
    {
        routes.MapHealthChecks("/health/live", new HealthCheckOptions
        {
            Predicate = _ => false,
            ResponseWriter = (context, _) => context.Response.WriteAsJsonAsync(new LiveAnswer("live")),
        }).AllowAnonymous().IsNeverLimited();
        routes.Map("/health/ready", ReadyAsync).AllowAnonymous().IsNeverLimited();
    }

    private static async Task ReadyAsync(HttpContext context)
    {
        var readiness = context.RequestServices.GetRequiredService<SharedReadiness>();
        var report = await readiness.AskAsync(context.RequestAborted);
        context.Response.StatusCode = report.Status == HealthStatus.Unhealthy
            ? StatusCodes.Status503ServiceUnavailable
            : StatusCodes.Status200OK;
        context.Response.Headers.CacheControl = "no-store, no-cache";
        await context.Response.WriteAsJsonAsync(ReadyAnswer.From(report), context.RequestAborted);
    }
}
