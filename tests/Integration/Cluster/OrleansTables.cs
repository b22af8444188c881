using Actors.Silo.Cluster;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Orleans.Configuration;
using Orleans.Messaging;

namespace Actors.Tests.Integration.Cluster;

/// <summary>
/// Orleans' own implementations of its tables, as a silo and a client get them from
/// <see cref="SiloClusterExtensions"/>; neither is started.
/// </summary>
internal sealed class OrleansTables : IAsyncDisposable
{
    private readonly IHost _silo;
    private readonly IHost _client;

    private OrleansTables(IHost silo, IHost client, string clusterId, string serviceId)
    {
        (_silo, _client, ClusterId, ServiceId) = (silo, client, clusterId, serviceId);
        Membership = silo.Services.GetRequiredService<IMembershipTable>();
        Reminders = silo.Services.GetRequiredService<IReminderTable>();
        Gateways = client.Services.GetRequiredService<IGatewayListProvider>();
    }

    public string ClusterId { get; }

    public string ServiceId { get; }

    public IMembershipTable Membership { get; }

    public IReminderTable Reminders { get; }

    public IGatewayListProvider Gateways { get; }

    public static async Task<OrleansTables> OpenAsync(NpgsqlDataSource orleans, string clusterId, string serviceId)
    {
        void Name(ClusterOptions options) => (options.ClusterId, options.ServiceId) = (clusterId, serviceId);
        var silo = Host.CreateApplicationBuilder();
        silo.Logging.ClearProviders();
        silo.UseOrleans(builder => builder.Configure<ClusterOptions>(Name).UsePostgres(orleans));
        var client = Host.CreateApplicationBuilder();
        client.Logging.ClearProviders();
        client.UseOrleansClient(builder => builder.Configure<ClusterOptions>(Name).UsePostgres(orleans));
        var tables = new OrleansTables(silo.Build(), client.Build(), clusterId, serviceId);
        await tables.Membership.InitializeMembershipTableAsync(tryInitTableVersion: true);
        await tables.Reminders.StartAsync();
        await tables.Gateways.InitializeGatewayListProvider();
        return tables;
    }

    public ValueTask DisposeAsync()
    {
        _silo.Dispose();
        _client.Dispose();
        return ValueTask.CompletedTask;
    }
}
