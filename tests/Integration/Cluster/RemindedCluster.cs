using System.Net;
using System.Net.Sockets;
using Actors.Silo.Cluster;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Npgsql;
using Orleans.Configuration;
using Orleans.Reminders;

namespace Actors.Tests.Integration.Cluster;

/// <summary>
/// Real silos that speak TCP on loopback and meet in the database. Their reminders share a clock that only the test
/// moves; membership, messages and timeouts keep the machine's.
/// </summary>
internal sealed class RemindedCluster(NpgsqlDataSource orleans) : IAsyncDisposable
{
    private readonly string _id = Guid.NewGuid().ToString("N");
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 8, 1, 10, 0, 0, TimeSpan.Zero));
    private readonly List<RunningSilo> _silos = [];

    public ReminderWatch Watch { get; } = new();

    public string Id => _id;

    /// <summary>A silo that is up, and the port that the others know it by.</summary>
    public sealed record RunningSilo(IHost Host, int Port);

    public static (int Silo, int Gateway) FreePorts()
    {
        using var silo = new TcpListener(IPAddress.Loopback, 0);
        using var gateway = new TcpListener(IPAddress.Loopback, 0);
        silo.Start();
        gateway.Start();
        return (((IPEndPoint)silo.LocalEndpoint).Port, ((IPEndPoint)gateway.LocalEndpoint).Port);
    }

    /// <param name="ports">Where it listens; on any free ports when left out.</param>
    public async Task<RunningSilo> StartSiloAsync((int Silo, int Gateway)? ports = null)
    {
        var (siloPort, gatewayPort) = ports ?? FreePorts();
        Watch.Follow(siloPort);
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.UseOrleans(silo => silo
            .Configure<ClusterOptions>(options => (options.ClusterId, options.ServiceId) = (_id, _id))
            .ConfigureEndpoints(IPAddress.Loopback, siloPort, gatewayPort)
            .UsePostgres(orleans));
        builder.Services.AddKeyedSingleton<TimeProvider>(ReminderTimeProviderNames.Reminders, _time);
        var silo = new RunningSilo(builder.Build(), siloPort);
        lock (_silos) _silos.Add(silo);
        await silo.Host.StartAsync();
        return silo;
    }

    public async Task StopSiloAsync(RunningSilo silo)
    {
        lock (_silos) _silos.Remove(silo);
        await silo.Host.StopAsync();
        silo.Host.Dispose();
    }

    /// <summary>A grain that nobody else uses, called through any silo that is up.</summary>
    public IRemindedGrain NewGrain() => Grain(Guid.NewGuid());

    public IRemindedGrain Grain(Guid key)
    {
        lock (_silos) return _silos[0].Host.Services.GetRequiredService<IGrainFactory>().GetGrain<IRemindedGrain>(key);
    }

    /// <summary>
    /// Moves the clock of the reminders by a minute, when each of these reminders waits on exactly one silo, and waits
    /// until each has ticked once more.
    /// </summary>
    public async Task<ReminderWatch.State> TickAsync(IReadOnlyCollection<(GrainId Grain, string Name)> reminders)
    {
        var before = await ArmedAsync(reminders);
        _time.Advance(TimeSpan.FromMinutes(1));
        return await Watch.UntilAsync("each reminder ticks once more", state => reminders.All(reminder =>
            state.TicksOf(reminder.Grain, reminder.Name).Count()
                > before.TicksOf(reminder.Grain, reminder.Name).Count()));
    }

    public Task<ReminderWatch.State> ArmedAsync(IReadOnlyCollection<(GrainId Grain, string Name)> reminders) =>
        Watch.UntilAsync("each reminder waits on exactly one silo", state =>
            reminders.All(reminder => state.IsArmedOnce(reminder.Grain, reminder.Name)));

    public async ValueTask DisposeAsync()
    {
        // Together, as when a whole cluster goes down: the last ones need not take over from the first.
        await Task.WhenAll(_silos.ToList().Select(StopSiloAsync));
        Watch.Dispose();
    }
}
