using System.Net;
using Actors.Api;
using Actors.Api.Access;
using Actors.Api.Health;
using Actors.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Time.Testing;
using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Api;

/// <summary>`/health/live` and `/health/ready`, which need no key.</summary>
public sealed class HealthTests(ApiHost host) : IClassFixture<ApiHost>
{
    [Fact]
    public async Task A_process_that_serves_is_live()
    {
        var (status, body) = await GetAsync(host, "/health/live");

        Assert.Equal((HttpStatusCode.OK, """{"status":"live"}"""), (status, body));
    }

    [Fact]
    public async Task A_process_whose_database_answers_is_ready()
    {
        var (status, body) = await GetAsync(host, "/health/ready");

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(
            """
            {"status":"ready","checks":[
            {"name":"callers","status":"healthy","message":"The API's login may act as every kind of caller."},
            {"name":"database","status":"healthy","message":"The database answers."}]}
            """.ReplaceLineEndings(""),
            Plain(body));
    }

    [Fact]
    public async Task Without_its_database_a_process_is_live_but_not_ready()
    {
        await using var other = await ApiHost.StartWithoutDatabaseAsync();
        var (live, _) = await GetAsync(other, "/health/live");
        var (ready, body) = await GetAsync(other, "/health/ready");

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.ServiceUnavailable), (live, ready));
        Assert.Equal(
            """
            {"status":"notReady","checks":[
            {"name":"callers","status":"unhealthy","message":"The database does not answer."},
            {"name":"database","status":"unhealthy","message":"The database does not answer."}]}
            """.ReplaceLineEndings(""),
            body);
    }

    [Fact]
    public async Task However_many_ask_whether_it_is_ready_the_checks_are_made_once_a_second()
    {
        var (check, time) = (new CountingCheck(), new FakeTimeProvider());
        await using var database = await TestDatabase.CreateEmptyAsync();
        await using var other = await ApiHost.StartAsync(database, services => services
            .AddSingleton<TimeProvider>(time)
            .AddSingleton(check)
            .AddReadinessCheck<CountingCheck>("counting"));

        await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => GetAsync(other, "/health/ready")));
        Assert.Equal(1, check.Made);

        time.Advance(TimeSpan.FromSeconds(1));
        await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => GetAsync(other, "/health/ready")));
        Assert.Equal(2, check.Made);
    }

    [Fact]
    public async Task A_key_that_is_sent_along_does_not_make_liveness_need_the_database()
    {
        await using var other = await ApiHost.StartWithoutDatabaseAsync();
        using var response = await other.PostAsync("/health/live", ApiKey.Create());

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task A_check_of_the_host_decides_too_and_its_exception_stays_in_the_log()
    {
        await using var database = await TestDatabase.CreateEmptyAsync();
        await using var other = await ApiHost.StartAsync(
            database, services => services.AddReadinessCheck<ThrowingCheck>("silo"));
        var (status, body) = await GetAsync(other, "/health/ready");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.Equal(
            """
            {"status":"notReady","checks":[
            {"name":"callers","status":"unhealthy","message":
            "The API's login may not look for API keys: name the login actors_api with --api-database."},
            {"name":"database","status":"healthy","message":"The database answers."},
            {"name":"silo","status":"unhealthy","message":
            "The check 'silo' is unhealthy; the server's log tells more."}]}
            """.ReplaceLineEndings(""),
            Plain(body));
    }

    [Theory]
    [InlineData("", "actors_trigger, actors_reader, actors_admin, authenticated, service_role")]
    [InlineData("service_role", "actors_trigger, actors_reader, actors_admin, authenticated")]
    public async Task A_login_that_may_not_act_as_callers_is_not_ready_and_says_as_whom(string member, string missing)
    {
        await using var database = await TestDatabase.CreateMigratedAsync();
        var login = $"login_{Guid.NewGuid():N}";
        await using var owner = NpgsqlDataSource.Create(database.ConnectionString);
        await ApiKeysTable.ExecuteAsync(
            owner, $"CREATE ROLE {login} LOGIN PASSWORD 'secret'" + (member == "" ? "" : $" IN ROLE {member}"));
        try
        {
            await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(
                database.ConnectionString) { Username = login, Password = "secret" }.ConnectionString);
            var check = await new CallerRolesCheck(new ApiDatabase(source)).CheckHealthAsync(
                new HealthCheckContext(), TestContext.Current.CancellationToken);

            Assert.Equal(HealthStatus.Unhealthy, check.Status);
            Assert.Equal(
                $"The API's login may not act as {missing}: name the login actors_api with --api-database.",
                check.Description);
        }
        finally
        {
            await ApiKeysTable.ExecuteAsync(owner, $"DROP ROLE {login}");
        }
    }

    [Fact]
    public async Task The_login_that_migrated_is_enough_to_try_everything_with()
    {
        await using var database = await TestDatabase.CreateMigratedAsync();
        await using var owner = NpgsqlDataSource.Create(database.ConnectionString);

        var check = await new CallerRolesCheck(new ApiDatabase(owner)).CheckHealthAsync(
            new HealthCheckContext(), TestContext.Current.CancellationToken);

        Assert.Equal(HealthStatus.Healthy, check.Status);
    }

    // The framework writes an apostrophe as an escape.
    private static string Plain(string json) => json.Replace("\\u0027", "'", StringComparison.Ordinal);

    private static async Task<(HttpStatusCode Status, string Body)> GetAsync(ApiHost host, string path)
    {
        using var response = await host.Http.GetAsync(
            new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);
        var body = await response.Content.ReadAsStringAsync();
        ApiAssert.TellsNoSecret(body);
        return (response.StatusCode, body);
    }

    private sealed class CountingCheck : IHealthCheck
    {
        private int made;

        public int Made => Volatile.Read(ref made);

        public Task<HealthCheckResult> CheckHealthAsync(
            HealthCheckContext context, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref made);
            return Task.FromResult(HealthCheckResult.Healthy("It counts."));
        }
    }

    private sealed class ThrowingCheck : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(
            HealthCheckContext context, CancellationToken cancellationToken) =>
            throw new InvalidOperationException("Password=hunter2");
    }
}
