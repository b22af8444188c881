using System.Net;
using Actors.Api.Access;
using Actors.Silo.Hosting;
using Actors.Tests.Integration.Api;
using Actors.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Access;

/// <summary>
/// Silo and API in one process as `up` hosts them, with a login each, an issuer of tokens, an admin and somebody who is
/// none, and a key in every state.
/// </summary>
public sealed class AccessWorld : IAsyncLifetime
{
    /// <summary>An address of the test's own, for whoever may read: it tells whom PostgreSQL sees.</summary>
    public const string Who = "/test/who";

    private readonly Dictionary<string, ApiKey> keys = [];
    private TestDatabase? testDatabase;
    private WebApplication? app;

    public Issuer Issuer { get; } = new();

    public Guid Admin { get; } = Guid.NewGuid();

    public Guid Other { get; } = Guid.NewGuid();

    /// <summary>As the owner of the database.</summary>
    public NpgsqlDataSource Database { get; private set; } = null!;

    public HttpClient Http { get; } = new();

    /// <summary>What the API itself has mapped, without the test's own.</summary>
    public IReadOnlyList<RouteEndpoint> Endpoints =>
    [
        .. app!.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(endpoint => !endpoint.RoutePattern.RawText!.StartsWith("/test/", StringComparison.Ordinal)),
    ];

    public async ValueTask InitializeAsync()
    {
        await Issuer.InitializeAsync();
        testDatabase = await TestDatabase.CreateMigratedAsync();
        Database = NpgsqlDataSource.Create(testDatabase.ConnectionString);
        await ApiKeysTable.ExecuteAsync(
            Database, $"INSERT INTO user_roles (user_id, role) VALUES ('{Admin}', 'admin'), ('{Other}', 'editor')");
        foreach (var (name, assignments) in KeyStates)
            keys.Add(name, await ApiKeysTable.AddAsync(Database, assignments));

        app = ActorsHost.Build(new SiloSettings
        {
            SiloConnectionString = testDatabase.SiloConnectionString,
            ApiConnectionString = testDatabase.ApiConnectionString,
            Ports = SiloPorts.FindAny(IPAddress.Loopback),
            IsAlone = true,
            Access = new AccessSettings
            {
                Tokens = JwtSettings.Parse(Issuer.Name, null, Issuer.JwksUrl.ToString(), null, out _),
                Limits = ApiHost.NoLimits,
            },
        });
        app.MapGet(Who, WhoAsync).RequireAuthorization(AccessPolicies.Read);
        await app.StartAsync();
        Http.BaseAddress = ActorsHost.AddressOf(app);
    }

    /// <summary>The key of a state, such as `read` or `revoked`.</summary>
    public ApiKey Key(string state) => keys[state];

    /// <summary>Sends a request; each header may be given more than once.</summary>
    public Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string path, HttpContent? body, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative)) { Content = body };
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        // Some answers go on and on.
        return Http.SendAsync(
            request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        if (app is not null)
        {
            await app.StopAsync();
            await app.DisposeAsync();
        }

        if (Database is not null) await Database.DisposeAsync();
        if (testDatabase is not null) await testDatabase.DisposeAsync();
        await Issuer.DisposeAsync();
    }

    private static readonly (string State, string Assignments)[] KeyStates =
    [
        ("trigger", "scopes = '{trigger}'"), ("read", "scopes = '{read}'"), ("admin", "scopes = '{admin}'"),
        ("read and trigger", "scopes = '{trigger,read}'"), ("no scope", "scopes = '{}'"),
        ("an unknown scope", "scopes = '{root}'"), ("revoked", "scopes = '{admin}', revoked_at = now()"),
        ("expired", "scopes = '{admin}', expires_at = now()"),
    ];

    private static async Task<IResult> WhoAsync(HttpContext context, CallerDatabase database)
    {
        await using var session = await database.BeginAsync(
            Caller.Of(context.User), CallerAccess.Read, context.RequestAborted);
        var rows = await session.ReadAsync(
            "SELECT concat_ws(' ', current_user, actors.caller_is_admin(), actors.caller_name())",
            row => row.GetString(0), context.RequestAborted);
        return Results.Text(rows.Single());
    }
}
