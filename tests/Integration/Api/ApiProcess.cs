using System.Text;
using Actors.Api;
using Actors.Api.Access;
using Actors.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Api;

/// <summary>
/// One process of the API on a migrated database, as its own login, with nothing in memory that another has: a Kestrel
/// and a container of its own. Its grains are those of a silo that the test gives.
/// </summary>
internal sealed class ApiProcess : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly NpgsqlDataSource _source;

    private ApiProcess(WebApplication app, NpgsqlDataSource source)
    {
        (_app, _source) = (app, source);
        // A stream that is closed is left at once, and not first read to an end that it does not have.
        Http = new HttpClient(new SocketsHttpHandler { ResponseDrainTimeout = TimeSpan.Zero })
        {
            BaseAddress = new Uri(app.Urls.Single()),
        };
    }

    public HttpClient Http { get; }

    public IServiceProvider Services => _app.Services;

    public static async Task<ApiProcess> StartAsync(
        TestDatabase database, IGrainFactory grains, Action<IServiceCollection>? more = null,
        JwtSettings? tokens = null)
    {
        var source = new NpgsqlDataSourceBuilder(await TestPooler.ThroughAsync(database.ApiConnectionString));
        source.UseNodaTime();
        var built = source.Build();
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton(grains);
        more?.Invoke(builder.Services);
        builder.Services.AddActorsApi(
            _ => built, new AccessSettings { Limits = ApiHost.NoLimits, Tokens = tokens });
        var app = builder.Build();
        app.MapActorsApi();
        await app.StartAsync();
        return new ApiProcess(app, built);
    }

    /// <summary>Sends a request with a key, and a body of JSON where there is one.</summary>
    public async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string path, ApiKey key, string? json = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Add("X-API-Key", key.Reveal());
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        if (json is not null) request.Content = new StringContent(json, Encoding.UTF8, "application/json");
        return await Http.SendAsync(
            request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
    }

    /// <summary>Asks for a run, under a key of its own where one is given.</summary>
    public Task<HttpResponseMessage> RunAsync(
        string path, ApiKey key, string? json = null, string? idempotencyKey = null) => SendAsync(
        HttpMethod.Post, path, key, json, idempotencyKey is null ? [] : [("Idempotency-Key", idempotencyKey)]);

    public Task<HttpResponseMessage> GetAsync(
        string path, ApiKey key, params (string Name, string Value)[] headers) =>
        SendAsync(HttpMethod.Get, path, key, null, headers);

    public Task StopAsync() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _app.DisposeAsync();
        await _source.DisposeAsync();
    }
}
