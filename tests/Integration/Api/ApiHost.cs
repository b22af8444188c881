using Actors.Api;
using Actors.Api.Access;
using Actors.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Api;

/// <summary>
/// The API on a real Kestrel and a database of its own. No silo is behind it: its grains come from an Orleans client
/// that never finds one, so a test sees everything up to the call of a grain, and what its failure is answered with.
/// </summary>
public sealed class ApiHost : IAsyncLifetime
{
    public const string AllAgencies = "/functions/v1/update-installment-statuses";

    /// <summary>An address that answers 404 `agency-not-found` without a grain, to whoever is let in.</summary>
    public const string NoAgency = "/api/agencies/no-uuid/runs";

    /// <summary>What tests of everything else send is not to be limited.</summary>
    public static readonly ApiLimits NoLimits = new()
    {
        Reads = RequestRate.Of(RequestRate.Most),
        Triggers = RequestRate.Of(RequestRate.Most),
        Failures = RequestRate.Of(RequestRate.Most),
        AtOnce = new RequestsAtOnce(RequestRate.Most, RequestRate.Most),
    };

    private TestDatabase? testDatabase;
    private NpgsqlDataSource? api;
    private WebApplication? app;
    private IHost? client;

    /// <summary>How to reach the database, password and all.</summary>
    public string ConnectionString => testDatabase!.ConnectionString;

    /// <summary>As the database's owner; the API itself has a login of its own.</summary>
    public NpgsqlDataSource Database { get; private set; } = null!;

    public HttpClient Http { get; private set; } = null!;

    /// <summary>A host whose database cannot be reached.</summary>
    internal static async Task<ApiHost> StartWithoutDatabaseAsync()
    {
        var host = new ApiHost
        {
            Database = NpgsqlDataSource.Create("Host=127.0.0.1;Port=1;Username=u;Password=hunter2;Database=secret"),
        };
        await host.StartAsync(_ => { });
        return host;
    }

    /// <summary>A host on an empty database with more in it than the API needs.</summary>
    internal static async Task<ApiHost> StartAsync(TestDatabase database, Action<IServiceCollection> more)
    {
        var host = new ApiHost { Database = NpgsqlDataSource.Create(database.ConnectionString) };
        await host.StartAsync(more);
        return host;
    }

    /// <summary>A host on a migrated database of its own, with other settings of access.</summary>
    internal static async Task<ApiHost> StartAsync(AccessSettings access, Action<IServiceCollection>? more = null)
    {
        var host = new ApiHost();
        await host.ConnectAsync();
        await host.StartAsync(more ?? (_ => { }), access);
        return host;
    }

    public async ValueTask InitializeAsync()
    {
        await ConnectAsync();
        await StartAsync(_ => { });
    }

    /// <summary>Sends a POST; each header may be given more than once.</summary>
    public Task<HttpResponseMessage> PostAsync(
        string path, HttpContent? body = null, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = body };
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        return Http.SendAsync(request, TestContext.Current.CancellationToken);
    }

    /// <summary>Sends a POST with a key.</summary>
    public Task<HttpResponseMessage> PostAsync(string path, ApiKey key, HttpContent? body = null) =>
        PostAsync(path, body, ("X-API-Key", key.Reveal()));

    public async ValueTask DisposeAsync()
    {
        Http?.Dispose();
        if (app is not null)
            await app.DisposeAsync();
        client?.Dispose();
        if (api is not null)
            await api.DisposeAsync();
        if (Database is not null)
            await Database.DisposeAsync();
        if (testDatabase is not null)
            await testDatabase.DisposeAsync();
    }

    private async Task ConnectAsync()
    {
        testDatabase = await TestDatabase.CreateMigratedAsync();
        Database = NpgsqlDataSource.Create(testDatabase.ConnectionString);
        var login = new NpgsqlDataSourceBuilder(await TestPooler.ThroughAsync(testDatabase.ApiConnectionString));
        login.UseNodaTime();
        api = login.Build();
    }

    private async Task StartAsync(Action<IServiceCollection> more, AccessSettings? access = null)
    {
        var clientBuilder = Host.CreateApplicationBuilder();
        clientBuilder.Logging.ClearProviders();
        clientBuilder.UseOrleansClient(orleans => orleans.UseLocalhostClustering(gatewayPort: 1));
        client = clientBuilder.Build();

        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton(client.Services.GetRequiredService<IGrainFactory>());
        builder.Services.AddActorsApi(_ => api ?? Database, access ?? new AccessSettings { Limits = NoLimits });
        more(builder.Services);
        app = builder.Build();
        app.MapActorsApi();
        await app.StartAsync();
        Http = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
    }
}
