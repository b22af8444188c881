using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Actors.Tests.Integration.Api.Runs;

/// <summary>A real Orleans client that no silo answers.</summary>
internal sealed class Unreachable : IDisposable
{
    private readonly IHost _client;

    private Unreachable(IHost client) => _client = client;

    public IGrainFactory Grains => _client.Services.GetRequiredService<IGrainFactory>();

    public static Unreachable Start()
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.UseOrleansClient(orleans => orleans.UseLocalhostClustering(gatewayPort: 1));
        return new Unreachable(builder.Build());
    }

    public void Dispose() => _client.Dispose();
}
