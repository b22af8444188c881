using System.Net;
using Actors.Api.Access;
using Actors.Tests.Integration.Api;
using Actors.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Access;

/// <summary>
/// What is answered when too much is asked. A bucket of four gets one more each second, so of thirty requests at once
/// some are refused.
/// </summary>
public sealed class RateLimitTests
{
    private static readonly RequestRate Four = new(1, 4);

    [Fact]
    public async Task A_caller_that_asks_too_much_is_429_with_the_time_to_wait_and_others_are_answered()
    {
        await using var host = await StartAsync(new ApiLimits { Triggers = Four });
        var (eager, other) = (await ApiKeysTable.AddAsync(host.Database), await ApiKeysTable.AddAsync(host.Database));

        var answers = await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => host.PostAsync(ApiHost.NoAgency, eager)));
        using var calm = await host.PostAsync(ApiHost.NoAgency, other);

        var refused = answers.Where(answer => answer.StatusCode == HttpStatusCode.TooManyRequests).ToList();
        Assert.InRange(refused.Count, 1, 26);
        Assert.All(answers.Except(refused), answer => Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode));
        foreach (var answer in refused)
        {
            await ApiAssert.ProblemAsync(answer, 429, "too-many-requests");
            Assert.Equal("1", answer.Headers.GetValues("Retry-After").Single());
            Assert.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single());
        }

        await ApiAssert.ProblemAsync(calm, 404, "agency-not-found");
    }

    [Fact]
    public async Task The_originals_address_says_so_in_its_own_words()
    {
        await using var host = await StartAsync(new ApiLimits { Triggers = Four });
        var key = await ApiKeysTable.AddAsync(host.Database);

        var refused = await FirstRefusalAsync(() => host.PostAsync(ApiHost.AllAgencies, key));

        Assert.StartsWith(
            """{"success":false,"recordsUpdated":0,"agencies":[],"error":"This is more than""",
            await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal("1", refused.Headers.GetValues("Retry-After").Single());
    }

    [Fact]
    public async Task Failing_credentials_are_limited_by_address_and_never_keep_a_valid_caller_out()
    {
        await using var host = await StartAsync(new ApiLimits { Failures = Four });
        var valid = await ApiKeysTable.AddAsync(host.Database);

        await FirstRefusalAsync(() => host.PostAsync(ApiHost.NoAgency, ApiKey.Create()));
        using var withoutKey = await FirstRefusalAsync(() => host.PostAsync(ApiHost.NoAgency));
        using var nowhere = await FirstRefusalAsync(() => host.PostAsync("/nowhere"));
        using var caller = await host.PostAsync(ApiHost.NoAgency, valid);

        await ApiAssert.ProblemAsync(withoutKey, 429, "too-many-requests");
        await ApiAssert.ProblemAsync(nowhere, 429, "too-many-requests");
        await ApiAssert.ProblemAsync(caller, 404, "agency-not-found");
    }

    [Fact]
    public async Task An_address_that_fails_too_often_has_its_keys_looked_up_one_at_a_time_and_good_ones_stay_in()
    {
        // Nobody waits in the narrow way, and the test itself holds it.
        using var gate = new KeyGate(TimeProvider.System, mostSuspects: 1);
        await using var host = await ApiHost.StartAsync(
            new AccessSettings { Limits = new ApiLimits { Failures = Four } }, services => services.AddSingleton(gate));
        var known = await ApiKeysTable.AddAsync(host.Database);
        using (await host.PostAsync(ApiHost.NoAgency, known))
        using (await gate.EnterAsync(ApiKey.Create().Hash(), () => true, TestContext.Current.CancellationToken))
        {
            // One waits, so that the next has no place.
            using var gone = new CancellationTokenSource();
            var waiting = gate.EnterAsync(ApiKey.Create().Hash(), () => true, gone.Token);
            await Eventually.HoldsAsync("a key that nobody has seen yet was refused unseen", async () =>
            {
                await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => host.PostAsync(ApiHost.NoAgency)));
                using var unseen = await host.PostAsync(ApiHost.NoAgency, await ApiKeysTable.AddAsync(host.Database));
                using var good = await host.PostAsync(ApiHost.NoAgency, known);
                await ApiAssert.ProblemAsync(good, 404, "agency-not-found");
                if (unseen.StatusCode != HttpStatusCode.TooManyRequests) return false;
                await ApiAssert.ProblemAsync(unseen, 429, "too-many-requests");
                Assert.Equal("1", unseen.Headers.GetValues("Retry-After").Single());
                return true;
            });
            await gone.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        }

        using var seen = await host.PostAsync(ApiHost.NoAgency, await ApiKeysTable.AddAsync(host.Database));
        await ApiAssert.ProblemAsync(seen, 404, "agency-not-found");
    }

    [Fact]
    public async Task A_caller_has_few_requests_in_work_and_some_waiting_and_the_next_is_429()
    {
        await using var host = await StartAsync(new ApiLimits { AtOnce = new RequestsAtOnce(2, 1) });
        var (eager, other) = (await ReaderAsync(host), await ReaderAsync(host));
        await using var connection = await host.Database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using (var hold = new NpgsqlCommand("LOCK TABLE alerts", connection, transaction))
            await hold.ExecuteNonQueryAsync();

        var asked = Enumerable.Range(0, 4).Select(_ => GetAsync(host, "/api/alerts", eager)).ToList();
        var first = await Task.WhenAny(asked);
        await ApiAssert.ProblemAsync(await first, 429, "too-many-requests");
        Assert.Equal("1", (await first).Headers.GetValues("Retry-After").Single());
        using var calm = await GetAsync(host, "/api/jobs", other);
        Assert.Equal(HttpStatusCode.OK, calm.StatusCode);
        using var stream = await GetAsync(host, "/api/events", eager);
        Assert.Equal(HttpStatusCode.OK, stream.StatusCode);

        await transaction.RollbackAsync();
        asked.Remove(first);
        Assert.All(await Task.WhenAll(asked), answer => Assert.Equal(HttpStatusCode.OK, answer.StatusCode));
    }

    [Fact]
    public async Task Whether_the_process_lives_and_is_ready_is_always_answered()
    {
        await using var host = await StartAsync(new ApiLimits { Reads = new(1, 1), Failures = new(1, 1) });

        for (var asked = 0; asked < 20; asked++)
        {
            using var live = await host.Http.GetAsync(new Uri("/health/live", UriKind.Relative));
            Assert.Equal(HttpStatusCode.OK, live.StatusCode);
        }
    }

    private static Task<ApiHost> StartAsync(ApiLimits limits) =>
        ApiHost.StartAsync(new AccessSettings { Limits = limits });

    private static Task<ApiKey> ReaderAsync(ApiHost host) =>
        ApiKeysTable.AddAsync(host.Database, "scopes = '{read}'");

    private static Task<HttpResponseMessage> GetAsync(ApiHost host, string path, ApiKey key)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add("X-API-Key", key.Reveal());
        return host.Http.SendAsync(
            request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
    }

    private static async Task<HttpResponseMessage> FirstRefusalAsync(Func<Task<HttpResponseMessage>> ask)
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => ask()));
        return answers.First(answer => answer.StatusCode == HttpStatusCode.TooManyRequests);
    }
}
