using Actors.Silo.Cluster;
using Orleans.Configuration;

namespace Actors.Silo.Hosting;

/// <summary>
/// The API's way to the silos, where none is in its own process: an Orleans client that finds their gateways in the
/// database. It tries until it finds one, while the API already serves, and finds others when those are gone; a call
/// that finds none fails at once.
/// <para>
/// The client has a host of its own: one that is started with the API's would keep it from listening until a silo is
/// there.
/// </para>
/// </summary>
internal sealed partial class SiloConnection : BackgroundService, IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    /// <summary>How long a silo that has joined may be unknown here.</summary>
    private static readonly TimeSpan Refresh = TimeSpan.FromSeconds(5);

    private readonly IHost _client;
    private readonly ILogger<SiloConnection> _logger;
    private int _gateways;
    private bool _waits;

    public SiloConnection(SiloSettings settings, ILogger<SiloConnection> logger)
    {
        _logger = logger;
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.AddActorsLogging(settings.Telemetry);
        var orleans = OrleansDataSource.Create(settings.SiloConnectionString);
        // By a factory, so that the container disposes of it.
        builder.Services.AddKeyedSingleton(MembershipCleaning.OrleansPool, (_, _) => orleans);
        builder.Services.AddSingleton<IHostLifetime, StoppedByItsCaller>();
        builder.UseOrleansClient(client => client
            .UsePostgres(orleans)
            .TracesCalls(settings.Telemetry)
            .Configure<ClusterOptions>(settings.Name)
            .Configure<GatewayOptions>(gateways => gateways.GatewayListRefreshPeriod = Refresh)
            .AddGatewayCountChangedHandler((_, change) => Note(change.NumberOfConnectedGateways))
            .UseConnectionRetryFilter(TryAgainAsync));
        _client = builder.Build();
    }

    /// <summary>Works once a silo is found; before that every call fails as when there is none.</summary>
    public IGrainFactory Grains => _client.Services.GetRequiredService<IGrainFactory>();

    /// <summary>How many silos it is connected to at this moment.</summary>
    public int Gateways => Volatile.Read(ref _gateways);

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await _client.StopAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        base.Dispose();
        if (_client is IAsyncDisposable client) await client.DisposeAsync();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await _client.StartAsync(stoppingToken);
        }
        catch (Exception) when (stoppingToken.IsCancellationRequested)
        {
            // It never came to a silo.
        }
    }

    private async Task<bool> TryAgainAsync(Exception error, CancellationToken cancellationToken)
    {
        if (!_waits) LogWaiting(error.GetBaseException().Message.ReplaceLineEndings(" "));
        _waits = true;
        await Task.Delay(Pause, cancellationToken);
        return true;
    }

    private void Note(int gateways)
    {
        var before = Interlocked.Exchange(ref _gateways, gateways);
        if (before != gateways) LogSilos(gateways);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "No silo is to be found yet, and is looked for: {Error}")]
    private partial void LogWaiting(string error);

    [LoggerMessage(Level = LogLevel.Information, Message = "Connected silos: {Silos}")]
    private partial void LogSilos(int silos);
}
