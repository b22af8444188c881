using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Actors.Api.Health;

/// <summary>The health of a process that has no API beside it: `/health/live` and `/health/ready`.</summary>
public static class HealthOnly
{
    /// <summary>Registers what <see cref="MapActorsHealth"/> needs, and the check `database`.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="database">The source that is asked; the host keeps its ownership.</param>
    public static IServiceCollection AddDatabaseReadiness(
        this IServiceCollection services, Func<IServiceProvider, NpgsqlDataSource> database)
    {
        services.AddSingleton(provider => new ApiDatabase(database(provider)));
        services.AddReadinessCheck<DatabaseAnswers>("database");
        return services;
    }

    /// <summary>Adds the two addresses.</summary>
    public static WebApplication MapActorsHealth(this WebApplication app)
    {
        app.MapHealth();
        return app;
    }
}
