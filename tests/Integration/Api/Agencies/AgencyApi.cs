using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Actors.Api;
using Actors.Api.Access;
using Actors.Tests.Integration.Access;
using Actors.Tests.Integration.Grains;
using Actors.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using Orleans.Configuration;
using Xunit;

namespace Actors.Tests.Integration.Api.Agencies;

/// <summary>
/// The API on a real Kestrel as its own login, beside a silo whose database clock stands where a test has put it. The
/// API itself goes by PostgreSQL's clock where it asks no grain.
/// </summary>
public sealed class AgencyApi : IAsyncLifetime
{
    /// <summary>The name of the admin's key, under which its deeds are recorded.</summary>
    public const string AdminName = "the admin's key";

    private const string Issuer = "https://auth.example.com";
    private const string Secret = "a secret of more than thirty-two bytes";

    private readonly List<IAsyncDisposable> _running = [];
    private readonly Lazy<Task<HttpClient>> _alone;
    private string? _adminKey;
    private Uri? _address;

    public AgencyApi() => _alone = new(StartAloneAsync);

    public GrainWorld World { get; } = new();

    /// <summary>The database as the API reaches it.</summary>
    public NpgsqlDataSource Database { get; private set; } = null!;

    /// <summary>With a key that may do everything.</summary>
    public HttpClient Admin { get; private set; } = null!;

    /// <summary>With a key that may read.</summary>
    public HttpClient Reader { get; private set; } = null!;

    /// <summary>With a key that may do everything, of an API whose silo is gone.</summary>
    public Task<HttpClient> AloneAsync => _alone.Value;

    public async ValueTask InitializeAsync()
    {
        await World.InitializeAsync();
        var login = new NpgsqlConnectionStringBuilder(World.SiloConnectionString) { Username = "actors_api" };
        var builder = new NpgsqlDataSourceBuilder(await TestPooler.ThroughAsync(login.ConnectionString));
        builder.UseNodaTime();
        Database = builder.Build();

        var address = _address = await StartAsync(World.Silo.Grains);
        _adminKey = await KeyAsync("scopes = '{admin}', name = '" + AdminName.Replace("'", "''") + "'");
        Admin = Client(address, _adminKey);
        Reader = Client(address, await KeyAsync("scopes = '{read}'"));
    }

    /// <summary>With the token of a user of the application, who may be an admin by `user_roles` or not.</summary>
    public HttpClient ClientOf(Guid user)
    {
        var http = new HttpClient { BaseAddress = _address };
        http.DefaultRequestHeaders.Authorization =
            new AuthenticationHeaderValue("Bearer", SomeToken.Of(Issuer, user).Signed(Encoding.UTF8.GetBytes(Secret)));
        return http;
    }

    public static Task<HttpResponseMessage> GetAsync(HttpClient http, string path) =>
        http.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);

    /// <summary>Gets what must be there.</summary>
    public static async Task<JsonElement> ReadAsync(HttpClient http, string path)
    {
        using var response = await GetAsync(http, path);
        return await OkAsync(response);
    }

    public static Task<HttpResponseMessage> SendAsync(
        HttpClient http, HttpMethod method, string path, string? json, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(method, path);
        if (json is not null) request.Content = new StringContent(json, Encoding.UTF8, "application/json");
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        return http.SendAsync(request, TestContext.Current.CancellationToken);
    }

    public static Task<HttpResponseMessage> PostAsync(HttpClient http, string path, string? json) =>
        SendAsync(http, HttpMethod.Post, path, json);

    /// <summary>The body of an answer that must be a success.</summary>
    public static async Task<JsonElement> OkAsync(HttpResponseMessage response)
    {
        var body = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"{(int)response.StatusCode} {body}");
        return JsonDocument.Parse(body).RootElement;
    }

    /// <summary>Every item of a list, page after page, which must end.</summary>
    public static async Task<List<JsonElement>> AllPagesAsync(HttpClient http, string path, int limit)
    {
        List<JsonElement> items = [];
        string? cursor = null;
        for (var pages = 0; pages < 1_000; pages++)
        {
            var at = cursor is null ? "" : $"&cursor={cursor}";
            var page = await ReadAsync(http, $"{path}{(path.Contains('?') ? '&' : '?')}limit={limit}{at}");
            var found = page.GetProperty("items").EnumerateArray().ToList();
            Assert.True(found.Count <= limit);
            items.AddRange(found);
            cursor = page.GetProperty("next").GetString();
            if (cursor is null) return items;
            Assert.Equal(limit, found.Count);
        }

        throw new InvalidOperationException($"{path} does not end");
    }

    public async Task<string> KeyAsync(string assignments) =>
        (await ApiKeysTable.AddAsync(World.Owner, assignments)).Reveal();

    public async ValueTask DisposeAsync()
    {
        foreach (var http in (HttpClient?[])[Admin, Reader]) http?.Dispose();
        if (_alone.IsValueCreated) (await _alone.Value).Dispose();
        foreach (var running in _running) await running.DisposeAsync();
        if (Database is not null) await Database.DisposeAsync();
        await World.DisposeAsync();
    }

    /// <summary>
    /// An API that is an Orleans client, was connected to the only silo of its cluster, and outlives it.
    /// </summary>
    private async Task<HttpClient> StartAloneAsync()
    {
        var silo = await World.StartOtherClusterAsync();
        var gateway = silo.Services.GetRequiredService<IOptions<EndpointOptions>>().Value.GatewayPort;
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.UseOrleansClient(orleans => orleans
            .UseStaticClustering(new IPEndPoint(IPAddress.Loopback, gateway))
            .Configure<ClusterOptions>(id => (id.ClusterId, id.ServiceId) = ("other", "other")));
        var client = builder.Build();
        await client.StartAsync();
        await silo.DisposeAsync();
        var address = await StartAsync(client.Services.GetRequiredService<IGrainFactory>());
        _running.Add((IAsyncDisposable)client);
        return Client(address, _adminKey!);
    }

    private async Task<Uri> StartAsync(IGrainFactory grains)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton(grains);
        builder.Services.AddActorsApi(_ => Database, new AccessSettings
        {
            Limits = ApiHost.NoLimits,
            Tokens = JwtSettings.Parse(Issuer, null, null, Secret, out _),
        });
        var app = builder.Build();
        app.MapActorsApi();
        await app.StartAsync();
        _running.Add(app);
        return new Uri(app.Urls.Single());
    }

    private static HttpClient Client(Uri address, string key)
    {
        var http = new HttpClient { BaseAddress = address };
        http.DefaultRequestHeaders.Add("X-API-Key", key);
        http.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        return http;
    }
}
