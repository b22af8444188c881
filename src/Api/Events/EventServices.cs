using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Actors.Api.Events;

internal static class EventServices
{
    /// <summary>
    /// Registers what the events need; a host that registers <see cref="EventLimits"/> itself keeps its own.
    /// </summary>
    public static IServiceCollection AddEvents(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(new EventLimits());
        services.AddSingleton<EventStore>();
        services.AddSingleton<EventStream>();
        services.AddSingleton<EventPlaces>();
        services.AddSingleton<EventFeed>();
        services.AddHostedService(provider => provider.GetRequiredService<EventFeed>());
        return services;
    }
}
