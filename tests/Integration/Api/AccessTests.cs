using System.Net;
using System.Text.RegularExpressions;
using Actors.Api.Access;
using Actors.Tests.Integration.Grains;
using Xunit;

namespace Actors.Tests.Integration.Api;

/// <summary>Who is let in, by `X-API-Key`.</summary>
public sealed partial class AccessTests(ApiHost host) : IClassFixture<ApiHost>
{
    /// <summary>Every way in which a request is not let in; what it sends: <see cref="HeadersAsync"/>.</summary>
    public static TheoryData<string> Refusals =>
    [
        "no header", "empty", "no key at all", "a key that nobody made", "revoked", "expired", "doubled",
        "doubled on one line", "10 KB", "with something behind", "in other letters", "in another header",
    ];

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task Whoever_has_no_valid_key_gets_one_and_the_same_answer(string refusal)
    {
        var headers = await HeadersAsync(refusal);
        using var plain = await host.PostAsync(ApiHost.NoAgency);
        using var response = await host.PostAsync(ApiHost.NoAgency, null, headers);

        await ApiAssert.ProblemAsync(response, 401, "unauthorized");
        Assert.Equal(await WithoutTraceIdAsync(plain), await WithoutTraceIdAsync(response));
        Assert.Equal("ApiKey", response.Headers.WwwAuthenticate.ToString());
    }

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task Whoever_has_no_valid_key_gets_the_originals_answer_at_its_address(string refusal)
    {
        using var response = await host.PostAsync(ApiHost.AllAgencies, null, await HeadersAsync(refusal));

        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal("""{"error":"Unauthorized"}""", await response.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("scopes = '{}'")]
    [InlineData("scopes = '{read,Trigger}'")]
    public async Task A_key_without_the_scope_is_forbidden(string assignments)
    {
        var key = await ApiKeysTable.AddAsync(host.Database, assignments);
        using var one = await host.PostAsync(ApiHost.NoAgency, key);
        using var all = await host.PostAsync(ApiHost.AllAgencies, key);

        await ApiAssert.ProblemAsync(one, 403, "scope-missing");
        Assert.Equal(HttpStatusCode.Forbidden, all.StatusCode);
        Assert.Equal("""{"error":"Forbidden"}""", await all.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("revoked_at = NULL")]
    [InlineData("expires_at = now() + interval '1 hour'")]
    [InlineData("scopes = '{read,trigger}'")]
    public async Task A_valid_key_is_let_in(string assignments)
    {
        var key = await ApiKeysTable.AddAsync(host.Database, assignments);
        using var response = await host.PostAsync(ApiHost.NoAgency, key);

        await ApiAssert.ProblemAsync(response, 404, "agency-not-found");
    }

    [Fact]
    public async Task Access_is_refused_before_the_body_is_looked_at()
    {
        using var response = await host.PostAsync(ApiHost.NoAgency, new StringContent("{", null, "application/json"));

        await ApiAssert.ProblemAsync(response, 401, "unauthorized");
    }

    [Fact]
    public async Task The_first_use_of_a_key_is_noted()
    {
        var key = await ApiKeysTable.AddAsync(host.Database);
        using var response = await host.PostAsync(ApiHost.NoAgency, key);

        Assert.True(await ApiKeysTable.ReadAsync<bool>(host.Database, key, "last_used_at > created_at"));
    }

    [Theory]
    [InlineData("30 seconds", false)]
    [InlineData("61 seconds", true)]
    public async Task The_use_of_a_key_is_noted_once_a_minute(string age, bool isNoted)
    {
        var key = await ApiKeysTable.AddAsync(host.Database, $"last_used_at = now() - interval '{age}'");
        var before = await ApiKeysTable.ReadAsync<DateTime>(host.Database, key, "last_used_at");
        using var response = await host.PostAsync(ApiHost.NoAgency, key);

        var after = await ApiKeysTable.ReadAsync<DateTime>(host.Database, key, "last_used_at");
        Assert.Equal(isNoted, after > before);
    }

    [Fact]
    public async Task A_request_does_not_wait_for_the_lock_of_its_keys_row()
    {
        var key = await ApiKeysTable.AddAsync(host.Database);
        await using var hold = await HeldLock.ByAsync(host.Database, "SELECT FROM api_keys FOR UPDATE");

        using var response = await host.PostAsync(ApiHost.NoAgency, key);

        await ApiAssert.ProblemAsync(response, 404, "agency-not-found");
        Assert.True(await ApiKeysTable.ReadAsync<bool>(host.Database, key, "last_used_at IS NULL"));
    }

    [Fact]
    public async Task A_use_that_cannot_be_noted_does_not_refuse_the_request()
    {
        await using var other = new ApiHost();
        await other.InitializeAsync();
        var key = await ApiKeysTable.AddAsync(other.Database);
        await ApiKeysTable.ExecuteAsync(
            other.Database, "ALTER TABLE api_keys ADD CONSTRAINT api_keys_unused CHECK (last_used_at IS NULL)");

        using var response = await other.PostAsync(ApiHost.NoAgency, key);

        await ApiAssert.ProblemAsync(response, 404, "agency-not-found");
    }

    [Fact]
    public async Task Not_knowing_a_key_for_want_of_a_database_is_a_failure_and_not_a_refusal()
    {
        await using var other = await ApiHost.StartWithoutDatabaseAsync();
        using var one = await other.PostAsync(ApiHost.NoAgency, ApiKey.Create());
        using var all = await other.PostAsync(ApiHost.AllAgencies, ApiKey.Create());

        await ApiAssert.ProblemAsync(one, 503, "database-unavailable");
        Assert.Equal(HttpStatusCode.InternalServerError, all.StatusCode);
        Assert.Equal(
            """
            {"success":false,"recordsUpdated":0,"agencies":[],
            "error":"The database does not answer. Try again in a moment."}
            """.ReplaceLineEndings(""),
            await all.Content.ReadAsStringAsync());
    }

    [GeneratedRegex(",\"traceId\":\"[^\"]*\"")]
    private static partial Regex TraceId { get; }

    private static async Task<string> WithoutTraceIdAsync(HttpResponseMessage response) =>
        TraceId.Replace(await response.Content.ReadAsStringAsync(), "");

    private async Task<(string Name, string Value)[]> HeadersAsync(string refusal)
    {
        var valid = (await ApiKeysTable.AddAsync(host.Database)).Reveal();
        return refusal switch
        {
            "no header" => [],
            "empty" => [("X-API-Key", "")],
            "no key at all" => [("X-API-Key", "letmein")],
            "a key that nobody made" => [("X-API-Key", ApiKey.Create().Reveal())],
            "revoked" => [("X-API-Key", await KeyAsync("revoked_at = now()"))],
            "expired" => [("X-API-Key", await KeyAsync("expires_at = now() - interval '1 second'"))],
            "doubled" => [("X-API-Key", valid), ("X-API-Key", valid)],
            "doubled on one line" => [("X-API-Key", $"{valid}, {valid}")],
            "10 KB" => [("X-API-Key", valid + new string('A', 10_240))],
            "with something behind" => [("X-API-Key", valid + "'; DROP TABLE api_keys")],
            "in other letters" => [("X-API-Key", valid.ToUpperInvariant())],
            "in another header" => [("Authorization", $"Bearer {valid}")],
            _ => throw new ArgumentOutOfRangeException(nameof(refusal), refusal, "No such refusal."),
        };
    }

    private async Task<string> KeyAsync(string assignments) =>
        (await ApiKeysTable.AddAsync(host.Database, assignments)).Reveal();
}
