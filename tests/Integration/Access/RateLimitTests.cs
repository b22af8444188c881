using System.Net;
using Actors.Api.Access;
using Actors.Tests.Integration.Api;
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

    private static async Task<HttpResponseMessage> FirstRefusalAsync(Func<Task<HttpResponseMessage>> ask)
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => ask()));
        return answers.First(answer => answer.StatusCode == HttpStatusCode.TooManyRequests);
    }
}
