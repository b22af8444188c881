using System.Net;
using System.Text;
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
    private readonly Dictionary<string, Guid> ids = [];
    private TestDatabase? testDatabase;
    private WebApplication? app;

    public Issuer Issuer { get; } = new();

    public Guid Admin { get; } = Guid.NewGuid();

    public Guid Other { get; } = Guid.NewGuid();

    /// <summary>As the owner of the database.</summary>
    public NpgsqlDataSource Database { get; private set; } = null!;

    public HttpClient Http { get; } = new();

    public IServiceProvider Services => app!.Services;

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

        ids["{agency}"] = await AddAgencyAsync();
        ids["{installment}"] = await ReadAsync<Guid>("SELECT id FROM installments");
        ids["{alert}"] = await ReadAsync<Guid>(
            """
            INSERT INTO alerts (kind, severity, dedup_key, message, raised_at)
            VALUES ('run_failed', 'critical', 'made up', 'A run failed.', now()) RETURNING id
            """);
        app = ActorsHost.Build(new SiloSettings
        {
            SiloConnectionString = testDatabase.SiloConnectionString,
            ApiConnectionString = testDatabase.ApiConnectionString,
            Ports = SiloPorts.FindAny(IPAddress.Loopback),
            IsAlone = true,
            Pooler = await TestPooler.OfTheSuiteAsync(),
            Telemetry = new TelemetrySettings { ServesMetrics = true },
            Access = new AccessSettings
            {
                Tokens = JwtSettings.Parse(Issuer.Name, null, Issuer.JwksUrl.ToString(), null, out _),
                Limits = ApiHost.NoLimits,
            },
        });
        app.MapGet(Who, WhoAsync).RequireAuthorization(AccessPolicies.Read);
        await app.StartAsync();
        Http.BaseAddress = ActorsHost.AddressOf(app);
        ids["{job}"] = await MarkingAsync(ids["{agency}"], "job_id");
        await DoAsync("/api/runs");
        ids["{run}"] = await ReadAsync<Guid>("SELECT id FROM run_requests");
    }

    /// <summary>
    /// An address with ids of things that are there: `{agency}`, `{installment}`, `{job}`, `{run}` and `{alert}`; and
    /// of what can be changed once only, made for this request if it will be: an agency `{fresh}` or `{paused}`, and a
    /// run of one that is `{marking}` something.
    /// </summary>
    public async Task<string> FilledAsync(string address, bool isChanged)
    {
        foreach (var (name, id) in ids) address = address.Replace(name, $"{id}", StringComparison.Ordinal);
        if (!address.Contains('{')) return address;
        var agency = isChanged ? await AddAgencyAsync() : ids["{agency}"];
        if (isChanged && address.Contains("{paused}", StringComparison.Ordinal))
            await DoAsync($"/api/agencies/{agency}/pause", """{"reason":"A test"}""");
        if (address.Contains("{marking}", StringComparison.Ordinal))
        {
            if (isChanged) await DoAsync($"/api/agencies/{agency}/runs");
            address = address.Replace("{marking}", $"{await MarkingAsync(agency, "id")}", StringComparison.Ordinal);
        }

        return address.Replace("{fresh}", $"{agency}", StringComparison.Ordinal)
            .Replace("{paused}", $"{agency}", StringComparison.Ordinal);
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

    /// <summary>An agency with an installment that was due long ago.</summary>
    private Task<Guid> AddAgencyAsync() => ReadAsync<Guid>(
        """
        WITH agency AS (INSERT INTO agencies (name, timezone) VALUES ('any', 'UTC') RETURNING id),
        plan AS (
          INSERT INTO payment_plans (agency_id, status) SELECT id, 'active' FROM agency RETURNING id
        ), installment AS (
          INSERT INTO installments (payment_plan_id, amount, student_due_date, status)
          SELECT id, 10, '2020-01-01', 'pending' FROM plan
        )
        SELECT id FROM agency
        """);

    /// <summary>Waits until an agency's installment is marked, and reads a column of that row of the ledger.</summary>
    private async Task<Guid> MarkingAsync(Guid agency, string column)
    {
        var found = Guid.Empty;
        await Eventually.HoldsAsync("it is marked", async () => (found = await ReadAsync<Guid>(
            $"""
            SELECT coalesce((SELECT r.{column} FROM agency_runs AS r JOIN jobs_log AS j ON j.id = r.job_id
              WHERE r.agency_id = '{agency}' AND r.records_updated > 0 LIMIT 1), '{Guid.Empty}')
            """)) != Guid.Empty);
        return found;
    }

    /// <summary>Does what an admin may.</summary>
    private async Task DoAsync(string path, string? json = null)
    {
        using var body = json is null ? null : new StringContent(json, Encoding.UTF8, "application/json");
        using var answer = await SendAsync(HttpMethod.Post, path, body, ("X-API-Key", Key("admin").Reveal()));
        Assert.True(answer.IsSuccessStatusCode, $"{path}: {answer.StatusCode}");
    }

    private async Task<T> ReadAsync<T>(string sql)
    {
        await using var command = Database.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

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
