using System.Net;
using Actors.Api.Access;
using Actors.Api.Health;
using Actors.Tests.Support;
using Microsoft.Extensions.Diagnostics.HealthChecks;
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
            {"status":"ready","checks":[{"name":"database","status":"healthy","message":"The database answers."}]}
            """,
            body);
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
            {"name":"database","status":"unhealthy","message":"The database does not answer."}]}
            """.ReplaceLineEndings(""),
            body);
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
            {"name":"database","status":"healthy","message":"The database answers."},
            {"name":"silo","status":"unhealthy","message":
            "The check 'silo' is unhealthy; the server's log tells more."}]}
            """.ReplaceLineEndings(""),
            body);
    }

    private static async Task<(HttpStatusCode Status, string Body)> GetAsync(ApiHost host, string path)
    {
        using var response = await host.Http.GetAsync(
            new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);
        var body = await response.Content.ReadAsStringAsync();
        ApiAssert.TellsNoSecret(body);
        return (response.StatusCode, body);
    }

    private sealed class ThrowingCheck : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(
            HealthCheckContext context, CancellationToken cancellationToken) =>
            throw new InvalidOperationException("Password=hunter2");
    }
}
