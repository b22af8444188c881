using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Actors.Api.Runs;

internal static class RunServices
{
    /// <summary>
    /// Registers what the runs need; a host that registers <see cref="RunLimits"/> itself keeps its own.
    /// </summary>
    public static IServiceCollection AddRuns(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(new RunLimits());
        services.AddSingleton<RunRequestStore>();
        services.AddSingleton<RunReading>();
        services.AddSingleton<RunWork>();
        services.AddSingleton<AgencySelection>();
        services.AddSingleton<RunDesk>();
        services.AddSingleton<RunsInFlight>();
        services.AddHostedService(provider => provider.GetRequiredService<RunsInFlight>());
        services.AddHostedService<AbandonedRuns>();
        return services;
    }
}
