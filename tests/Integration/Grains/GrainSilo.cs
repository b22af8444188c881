using System.Net;
using Actors.Grains;
using Actors.Grains.Cutoffs;
using Actors.Grains.Interfaces;
using Actors.Silo.Cluster;
using Actors.Silo.Hosting;
using Actors.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Npgsql;
using Orleans.Configuration;
using Orleans.Reminders;

namespace Actors.Tests.Integration.Grains;

/// <summary>
/// A real silo with the real grains, as the least-privilege login. The database's clock and those under reminders and
/// pauses are the test's; membership and messages keep the machine's. The coordinator sweeps when it is asked.
/// </summary>
internal sealed class GrainSilo : IAsyncDisposable
{
    private readonly IHost _host;
    private readonly NpgsqlDataSource _orleans;
    private readonly NpgsqlDataSource _pool;

    private GrainSilo(IHost host, NpgsqlDataSource orleans, NpgsqlDataSource pool) =>
        (_host, _orleans, _pool) = (host, orleans, pool);

    public IGrainFactory Grains => _host.Services.GetRequiredService<IGrainFactory>();

    public IServiceProvider Services => _host.Services;

    public CallFaults CallFaults => Services.GetRequiredService<CallFaults>();

    public ICoordinatorGrain Coordinator =>
        Grains.GetGrain<ICoordinatorGrain>(JobNames.UpdateInstallmentStatuses);

    public static async Task<GrainSilo> StartAsync(
        string connectionString, GrainOptions options, TimeProvider? database, FakeTimeProvider reminders,
        TimeProvider pauses, string cluster = "test")
    {
        var orleans = OrleansDataSource.Create(connectionString);
        var pool = GrainDatabase.Connect(await TestPooler.ThroughAsync(connectionString));
        var ports = SiloPorts.FindAny(IPAddress.Loopback);
        var clock = database is null ? DatabaseClock.OfPostgres : DatabaseClock.ReplacedBy(database);
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddKeyedSingleton<TimeProvider>(ReminderTimeProviderNames.Reminders, reminders);
        builder.Services.AddKeyedSingleton(TimeProviderNames.Grains, pauses);
        builder.Services.AddSingleton<CallFaults>();
        builder.Services.AddSingleton<IOutgoingGrainCallFilter>(host => host.GetRequiredService<CallFaults>());
        builder.Services.AddActorsGrains(_ => new GrainDatabase(pool, clock), options);
        builder.UseOrleans(silo => silo
            .Configure<ClusterOptions>(id => (id.ClusterId, id.ServiceId) = (cluster, cluster))
            .ConfigureEndpoints(IPAddress.Loopback, ports.Silo, ports.Gateway)
            .UsePostgres(orleans));
        var host = builder.Build();
        await host.StartAsync();
        return new GrainSilo(host, orleans, pool);
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
        await _orleans.DisposeAsync();
        await _pool.DisposeAsync();
    }
}
