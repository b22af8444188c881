using Actors.Grains.Agencies;
using Actors.Grains.Installments;
using Actors.Grains.Jobs;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Actors.Grains;

/// <summary>Puts what the grains need into a silo's container.</summary>
public static class GrainsRegistration
{
    /// <param name="services">The silo's container, before Orleans is added to it.</param>
    /// <param name="database">The application's pool and clock.</param>
    /// <param name="options">Limits and periods.</param>
    public static IServiceCollection AddActorsGrains(
        this IServiceCollection services, Func<IServiceProvider, GrainDatabase> database, GrainOptions options)
    {
        services.AddSingleton(options.Validated());
        services.AddSingleton(database);
        services.AddSingleton<LastWrites>();
        services.AddSingleton<JobsLog>();
        services.AddSingleton<SweepStore>();
        services.AddSingleton<HistoryStore>();
        services.AddSingleton<AgencyDispatch>();
        services.AddSingleton<FailedAgencies>();
        services.AddSingleton<AgencyTransactions>();
        services.AddSingleton<AgencyPauses>();
        services.AddSingleton<RunUndoing>();
        services.AddSingleton<InstallmentMarker>();
        // Hosted services stop in the reverse of this order: the marker outlives the silo, whose grains wait for it.
        services.AddHostedService(provider => provider.GetRequiredService<InstallmentMarker>());
        services.TryAddSingleton(TimeProvider.System);
        return services;
    }
}
