using System.Net;
using Actors.Silo.Cluster;
using Npgsql;

namespace Actors.Silo.Hosting;

/// <summary>Before the silo joins: see <see cref="StaleSilos"/>.</summary>
internal sealed partial class MembershipCleaning(
    [FromKeyedServices(MembershipCleaning.OrleansPool)] NpgsqlDataSource orleans,
    SiloSettings settings,
    TimeProvider time,
    ILogger<MembershipCleaning> logger) : IHostedService
{
    /// <summary>The key under which the container has Orleans' own pool.</summary>
    public const string OrleansPool = "actors-orleans";

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var own = new IPEndPoint(settings.Address, settings.Ports.Silo);
        var removed = await StaleSilos.ClearAsync(
            orleans, settings.ClusterId, own, settings.IsAlone, time, cancellationToken);
        if (removed > 0) LogRemoved(removed);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(Level = LogLevel.Information, Message = "Silos that are gone, removed from the membership: {Silos}")]
    private partial void LogRemoved(int silos);
}
