using System.Text;
using System.Text.Json;
using Actors.Api.Access;
using Actors.Tests.Integration.Access;
using Actors.Tests.Integration.Api.Agencies;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Api;

/// <summary>
/// The API as its own login on a database of its own, with callers of every kind that reads: keys, an admin by token,
/// and a user by token who is none. Rows are a test's own to write, straight into the tables.
/// </summary>
public sealed class ListsApi : IAsyncLifetime
{
    private const string Issuer = "https://auth.example.com/auth/v1";
    private const string Secret = "a secret of more than thirty-two bytes";

    private readonly List<HttpClient> _clients = [];
    private ApiHost? _host;

    public const string AdminKeyName = "an admin's key";

    public const string AdminEmail = "admin@example.com";

    /// <summary>The user who is an admin by `user_roles`.</summary>
    public Guid AdminId { get; } = Guid.NewGuid();

    /// <summary>The database as its owner.</summary>
    public NpgsqlDataSource Database => _host!.Database;

    public string ConnectionString => _host!.ConnectionString;

    /// <summary>With a key that may read.</summary>
    public HttpClient Reader { get; private set; } = null!;

    /// <summary>With a key that may do everything.</summary>
    public HttpClient Admin { get; private set; } = null!;

    /// <summary>With a key that may only trigger.</summary>
    public HttpClient Trigger { get; private set; } = null!;

    /// <summary>With the token of an admin.</summary>
    public HttpClient AdminUser { get; private set; } = null!;

    /// <summary>With the token of somebody who is no admin.</summary>
    public HttpClient OtherUser { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await ApiHost.StartAsync(new AccessSettings
        {
            Limits = ApiHost.NoLimits,
            Tokens = JwtSettings.Parse(Issuer, null, null, Secret, out _),
        });
        await ExecuteAsync($"INSERT INTO user_roles (user_id, role) VALUES ('{AdminId}', 'admin')");
        Reader = await WithKeyAsync("scopes = '{read}'");
        Admin = await WithKeyAsync($"scopes = '{{admin}}', name = '{AdminKeyName.Replace("'", "''")}'");
        Trigger = await WithKeyAsync("scopes = '{trigger}'");
        AdminUser = WithToken(AdminId, AdminEmail);
        OtherUser = WithToken(Guid.NewGuid(), "other@example.com");
    }

    public async Task ExecuteAsync(string sql, params object[] parameters)
    {
        await using var command = Database.CreateCommand(sql);
        command.CommandTimeout = 600;
        foreach (var parameter in parameters) command.Parameters.Add(new() { Value = parameter });
        await command.ExecuteNonQueryAsync();
    }

    public async Task<T> AskAsync<T>(string sql)
    {
        await using var command = Database.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Takes all rows out of the tables that lists show.</summary>
    public Task ClearAsync() => ExecuteAsync(
        "TRUNCATE agencies, payment_plans, installments, agency_cutoffs, agency_runs, jobs_log, alerts CASCADE");

    /// <summary>The ids of every item of a list, page after page.</summary>
    public static async Task<List<Guid>> IdsAsync(HttpClient http, string path, int limit = 200) =>
        [.. (await AgencyApi.AllPagesAsync(http, path, limit)).Select(item => item.GetProperty("id").GetGuid())];

    /// <summary>A list as a file.</summary>
    public static async Task<string> CsvAsync(HttpClient http, string path)
    {
        using var response = await AgencyApi.GetAsync(http, path + (path.Contains('?') ? '&' : '?') + "format=csv");
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        Assert.Equal("text/csv", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal("attachment", response.Content.Headers.ContentDisposition?.DispositionType);
        return text;
    }

    /// <summary>
    /// Asks for what must be refused as a query that is not as it should be, and answers what is said.
    /// </summary>
    public static async Task<string> RefusedAsync(HttpClient http, string path, string parameter)
    {
        using var response = await AgencyApi.GetAsync(http, path);
        var problem = await ApiAssert.ProblemAsync(response, 400, "invalid-parameter");
        return problem.GetProperty("errors").GetProperty(parameter)[0].GetString()!;
    }

    /// <summary>A cursor that was put together by hand.</summary>
    public static string Cursor(params string?[] parts) =>
        System.Buffers.Text.Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(parts));

    /// <summary>What an address makes of a query.</summary>
    internal static Actors.Api.Requests.QueryValues Query(
        IReadOnlyList<Actors.Api.Requests.QueryParameter> parameters, params (string Name, string Value)[] given) =>
        Actors.Api.Requests.QueryValues.Read(
            new QueryCollection(given.ToDictionary(pair => pair.Name, pair => new StringValues(pair.Value))),
            parameters);

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients) client.Dispose();
        if (_host is not null) await _host.DisposeAsync();
    }

    private async Task<HttpClient> WithKeyAsync(string assignments) =>
        Client("X-API-Key", (await ApiKeysTable.AddAsync(Database, assignments)).Reveal());

    private HttpClient WithToken(Guid user, string email) => Client(
        "Authorization",
        "Bearer " + SomeToken.Of(Issuer, user).With("email", email).Signed(Encoding.UTF8.GetBytes(Secret)));

    private HttpClient Client(string header, string value)
    {
        var client = new HttpClient { BaseAddress = _host!.Http.BaseAddress, Timeout = TimeSpan.FromMinutes(5) };
        client.DefaultRequestHeaders.Add(header, value);
        _clients.Add(client);
        return client;
    }
}
