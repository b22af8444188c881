using Actors.Grains.Agencies;
using Actors.Grains.Installments;
using Actors.Grains.Jobs;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Actors.Grains;

/// <summary>Puts what the grains need into a silo's container.</summary>
public static class GrainsRegistration
{
    /// <param name="services">The silo's container.</param>
    /// <param name="database">The application's pool and clock; the caller disposes of the pool.</param>
    /// <param name="options">Limits and periods.</param>
    public static IServiceCollection AddActorsGrains(
        this IServiceCollection services, GrainDatabase database, GrainOptions options)
    {
        services.AddSingleton(options.Validated());
        services.AddSingleton(database);
        services.AddSingleton<JobsLog>();
        services.AddSingleton<SweepStore>();
        services.AddSingleton<FailedAgencies>();
        services.AddSingleton<InstallmentMarker>();
        services.TryAddSingleton(TimeProvider.System);
        return services;
    }
}
