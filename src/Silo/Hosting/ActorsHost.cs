using Actors.Api;
using Actors.Api.Events;
using Actors.Api.Health;
using Actors.Grains;
using Actors.Silo.Cluster;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Npgsql;
using Orleans.Configuration;
using Orleans.Reminders;

namespace Actors.Silo.Hosting;

/// <summary>
/// Builds a process that hosts a silo and the API (`up`), a silo alone, or the API alone as a client of the silos. The
/// caller starts it, stops it and disposes of it.
/// </summary>
public static class ActorsHost
{
    private const string ApiPool = "actors-api";

    /// <summary>
    /// Else .NET watches every file below the folder in which it was started, for a change of `appsettings.json`. An
    /// embedded PostgreSQL writes its own there, and each write would wake the silo.
    /// </summary>
    private const string FilesAreReadOnce = "--hostBuilder:reloadConfigOnChange=false";

    /// <summary>Silo and API.</summary>
    public static WebApplication Build(SiloSettings settings)
    {
        var builder = CreateBuilder(settings);
        AddGrains(builder.Services, settings);
        AddSilo(builder, settings);
        AddApi(builder.Services, settings);
        var app = builder.Build();
        app.MapActorsApi();
        app.MapActorsMetrics(settings.Telemetry);
        return app;
    }

    /// <summary>A silo that answers `/health/live` and `/health/ready` and nothing else.</summary>
    public static WebApplication BuildSilo(SiloSettings settings)
    {
        var builder = CreateBuilder(settings);
        AddGrains(builder.Services, settings);
        AddSilo(builder, settings);
        builder.Services.AddDatabaseReadiness(provider => provider.GetRequiredService<NpgsqlDataSource>());
        builder.Services.AddReadinessCheck<SchemaIsCurrent>("schema");
        var app = builder.Build();
        app.MapActorsHealth();
        app.MapActorsMetrics(settings.Telemetry);
        return app;
    }

    /// <summary>
    /// The API alone. It serves from its start on; what needs a silo is answered 503 until one is there.
    /// </summary>
    public static WebApplication BuildApi(SiloSettings settings)
    {
        var builder = CreateBuilder(settings);
        builder.Services.AddSingleton<SiloConnection>();
        builder.Services.AddHostedService(provider => provider.GetRequiredService<SiloConnection>());
        builder.Services.AddSingleton(provider => provider.GetRequiredService<SiloConnection>().Grains);
        AddApi(builder.Services, settings);
        builder.Services.AddReadinessCheck<SiloIsConnected>("silo");
        var app = builder.Build();
        app.MapActorsApi();
        app.MapActorsMetrics(settings.Telemetry);
        return app;
    }

    /// <summary>Where the API listens, known once the host has started.</summary>
    public static Uri AddressOf(WebApplication app) => new(app.Urls.First());

    private static WebApplicationBuilder CreateBuilder(SiloSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = [FilesAreReadOnce] });
        builder.Logging.AddActorsLogging(settings.Telemetry);
        builder.Services.AddActorsTelemetry(settings.Telemetry);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(settings.Address, settings.HttpPort);
        });
        // Whoever runs the host says when it stops.
        builder.Services.AddSingleton<IHostLifetime, StoppedByItsCaller>();
        // A silo that can reach its database needs a fraction of a second; one that cannot would try for ever.
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(20));
        builder.Services.AddSingleton(settings);
        builder.Services.AddHostedService<SchemaGate>();
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddHostedService<MemoryAtRest>();
        return builder;
    }

    private static void AddGrains(IServiceCollection services, SiloSettings settings)
    {
        // The container disposes of the pool, after everything that uses it.
        services.AddSingleton(_ => GrainDatabase.Connect(settings.Pooled(settings.SiloConnectionString)));
        services.AddActorsGrains(
            provider => new GrainDatabase(provider.GetRequiredService<NpgsqlDataSource>(), settings.Clock),
            settings.Grains);
    }

    private static void AddSilo(WebApplicationBuilder builder, SiloSettings settings)
    {
        var orleans = OrleansDataSource.Create(settings.SiloConnectionString);
        // By a factory, so that the container disposes of it.
        builder.Services.AddKeyedSingleton(MembershipCleaning.OrleansPool, (_, _) => orleans);
        if (settings.ReminderClock is { } clock)
            builder.Services.AddKeyedSingleton(ReminderTimeProviderNames.Reminders, clock);

        builder.Services.AddSingleton<IFatalErrorHandler, SiloEnd>();
        // In the order of starting; they stop in reverse.
        builder.Services.AddHostedService<MembershipCleaning>();
        builder.UseOrleans(silo => silo
            .UsePostgres(orleans)
            .TracesCalls(settings.Telemetry)
            .Configure<ClusterOptions>(settings.Name)
            .Configure<ClusterMembershipOptions>(FailureDetection.Configure)
            .ConfigureEndpoints(settings.Address, settings.Ports.Silo, settings.Ports.Gateway));
        builder.Services.AddReadinessCheck<SiloIsActive>("silo");
        builder.Services.AddReadinessCheck<ClockAgrees>("clock");
        builder.Services.AddReadinessCheck<WritesSucceed>("writes");
        builder.Services.AddHostedService<CoordinatorStarting>();
        builder.Services.AddHostedService<LostTicks>();
        builder.Services.AddHostedService<SilentSilos>();
        builder.Services.AddHostedService<AgencyChanges>();
    }

    private static void AddApi(IServiceCollection services, SiloSettings settings)
    {
        services.AddKeyedSingleton(
            ApiPool, (_, _) => GrainDatabase.Connect(settings.Pooled(settings.ApiConnectionString), "actors-api"));
        services.AddActorsApi(
            provider => provider.GetRequiredKeyedService<NpgsqlDataSource>(ApiPool), settings.Access);
        services.AddSingleton(new EventListening(settings.ApiConnectionString));
        services.AddReadinessCheck<SchemaIsCurrent>("schema");
    }
}
