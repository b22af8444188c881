using Actors.Api.Access;
using Actors.Api.Agencies;
using Actors.Api.Alerts;
using Actors.Api.Contract;
using Actors.Api.Errors;
using Actors.Api.Events;
using Actors.Api.Health;
using Actors.Api.History;
using Actors.Api.Installments;
using Actors.Api.Jobs;
using Actors.Api.Runs;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Actors.Api;

/// <summary>The API as its host sees it: two verbs. The host also registers an <see cref="IGrainFactory"/>.</summary>
public static class ActorsApi
{
    /// <summary>No body that the API takes is longer, in bytes; a longer one is answered 413.</summary>
    public const int MaxBodyBytes = 16 * 1024;

    /// <summary>Registers everything that <see cref="MapActorsApi"/> needs.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="database">The source that the API reads with; the host keeps its ownership.</param>
    /// <param name="access">What the operator decided about access; null: all of it as usual.</param>
    public static IServiceCollection AddActorsApi(
        this IServiceCollection services, Func<IServiceProvider, NpgsqlDataSource> database,
        AccessSettings? access = null)
    {
        services.AddSingleton(provider => new ApiDatabase(database(provider)));
        services.ConfigureHttpJsonOptions(options => ApiJson.Configure(options.SerializerOptions));
        services.AddApiErrors();
        services.AddApiDocument();
        services.AddRuns();
        services.AddEvents();
        services.AddAccess(access ?? new AccessSettings());
        services.AddReadinessCheck<DatabaseAnswers>("database");
        services.AddReadinessCheck<CallerRolesCheck>("callers");
        return services;
    }

    /// <summary>Adds the API's pipeline and its endpoints.</summary>
    public static WebApplication MapActorsApi(this WebApplication app)
    {
        app.UseSecurityHeaders();
        app.UseApiErrors();
        app.UseAuthentication();
        app.UseRateLimiter();
        app.UseAuthorization();

        var api = ApiRoutes.Of(app);
        api.MapAgencies();
        api.MapAgencyHistory();
        api.MapInstallmentExplanation();
        api.MapJobs();
        api.MapInstallments();
        api.MapAlerts();
        api.MapRuns();
        api.MapEvents();

        app.MapGroup("")
            .RequireAuthorization(AccessPolicies.Trigger)
            .WithMetadata(new BodyLimit(MaxBodyBytes))
            .MapUpdateInstallmentStatuses();
        app.MapHealth();
        app.MapApiDocument();
        return app;
    }

    /// <summary>An endpoint that sets one of these headers itself keeps its own.</summary>
    private static void UseSecurityHeaders(this WebApplication app) => app.Use((context, next) =>
    {
        context.Response.OnStarting(() =>
        {
            var headers = context.Response.Headers;
            headers.TryAdd("X-Content-Type-Options", "nosniff");
            headers.TryAdd("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
            headers.TryAdd("Referrer-Policy", "no-referrer");
            headers.TryAdd("Cache-Control", "no-store");
            // What is longer than any body that is read is not read to its end, whatever it is answered with: the
            // server ends the connection, and whoever sent it must know before the next request.
            if (context.Request.ContentLength > MaxBodyBytes && HttpProtocol.IsHttp11(context.Request.Protocol))
                headers.TryAdd("Connection", "close");
            return Task.CompletedTask;
        });
        return next(context);
    });
}
