using System.Net;
using Actors.Api.Runs;
using Xunit;

namespace Actors.Tests.Integration.Api.Runs;

/// <summary>One Idempotency-Key is one run with one answer, whichever process is asked.</summary>
public sealed class IdempotencyTests(RunsWorld world) : IClassFixture<RunsWorld>
{
    [Fact]
    public async Task The_same_request_again_has_the_very_same_answer_from_any_process_and_runs_nothing()
    {
        var agency = await world.AgencyAsync(due: 2);
        var (key, path, name) = (await world.KeyAsync(), $"/api/agencies/{agency}/runs", Guid.NewGuid().ToString());
        using var first = await world.Patient.RunAsync(path, key, """{"reason":"why"}""", name);
        await world.AddDueAsync(agency, 5);

        using var second = await world.Patient.RunAsync(path, key, """{ "reason" : "why" }""", name);
        using var third = await world.Hasty.RunAsync(
            $"/api/agencies/{agency.ToString().ToUpperInvariant()}/runs", key, """{"reason":"why"}""", name);

        Assert.False(first.Headers.Contains("Idempotency-Replayed"));
        foreach (var again in new[] { second, third })
        {
            Assert.Equal(HttpStatusCode.OK, again.StatusCode);
            Assert.Equal("true", again.Headers.GetValues("Idempotency-Replayed").Single());
            Assert.Equal(first.Content.Headers.ContentType, again.Content.Headers.ContentType);
            Assert.Equal(await first.Content.ReadAsStringAsync(), await again.Content.ReadAsStringAsync());
        }

        Assert.Equal("2", await world.LedgerAsync(agency));
    }

    [Fact]
    public async Task A_refusal_is_kept_to_the_letter_too()
    {
        var (key, path) = (await world.KeyAsync(), $"/api/agencies/{Guid.NewGuid()}/runs");
        using var first = await world.Patient.RunAsync(path, key, null, "refused");
        using var second = await world.Patient.RunAsync(path, key, null, "refused");

        await ApiAssert.ProblemAsync(second, 404, "agency-not-found");
        Assert.Equal(await first.Content.ReadAsStringAsync(), await second.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task The_same_key_for_another_request_is_422_and_runs_nothing()
    {
        var (one, other) = (await world.AgencyAsync(), await world.AgencyAsync());
        var key = await world.KeyAsync();
        using var first = await world.Patient.RunAsync($"/api/agencies/{one}/runs", key, """{"reason":"a"}""", "same");

        using var body = await world.Patient.RunAsync($"/api/agencies/{one}/runs", key, """{"reason":"b"}""", "same");
        using var path = await world.Patient.RunAsync($"/api/agencies/{other}/runs", key, """{"reason":"a"}""", "same");
        using var all = await world.Patient.RunAsync("/api/runs", key, """{"reason":"a"}""", "same");

        foreach (var refused in new[] { body, path, all })
            await ApiAssert.ProblemAsync(refused, 422, "idempotency-key-reused");
        Assert.Equal("0", await world.LedgerAsync(one));
        Assert.Equal("", await world.LedgerAsync(other));
    }

    [Fact]
    public async Task Keys_of_different_callers_have_nothing_to_do_with_each_other()
    {
        var agency = await world.AgencyAsync();
        var path = $"/api/agencies/{agency}/runs";
        using var first = await world.Patient.RunAsync(path, await world.KeyAsync(), null, "mine");
        using var second = await world.Patient.RunAsync(path, await world.KeyAsync(), """{"reason":"else"}""", "mine");

        Assert.Equal(HttpStatusCode.OK, second.StatusCode);
        Assert.Equal("0, 0", await world.LedgerAsync(agency));
    }

    [Fact]
    public async Task While_the_first_is_under_way_both_processes_point_to_it()
    {
        var agency = await world.AgencyAsync(due: 1);
        var (key, path) = (await world.KeyAsync(), $"/api/agencies/{agency}/runs");
        await using var other = await world.StartApiAsync(new RunLimits { AnswerWithin = TimeSpan.Zero });
        await using (await world.HoldAsync(agency))
        {
            var first = await LocationAsync(world.Hasty);
            Assert.Equal(first, await LocationAsync(world.Hasty));
            Assert.Equal(first, await LocationAsync(other));
        }

        // Whoever waits longer has the answer of the one run.
        using var answer = await world.Patient.RunAsync(path, key, null, "one");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("true", answer.Headers.GetValues("Idempotency-Replayed").Single());
        Assert.Equal("1", await world.LedgerAsync(agency));

        async Task<string> LocationAsync(ApiProcess process)
        {
            using var response = await process.RunAsync(path, key, null, "one");
            Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
            return response.Headers.Location!.ToString();
        }
    }

    [Fact]
    public async Task Twenty_at_once_with_one_key_at_two_processes_are_one_run_with_one_answer()
    {
        var agency = await world.AgencyAsync(due: 3);
        var key = await world.KeyAsync();
        await using var other = await world.StartApiAsync(new RunLimits { AnswerWithin = TimeSpan.FromMinutes(1) });

        var responses = await Task.WhenAll(Enumerable.Range(0, 20).Select(number => (number % 2 == 0
            ? world.Patient
            : other).RunAsync($"/api/agencies/{agency}/runs", key, null, "twenty")));

        var answers = await Task.WhenAll(responses.Select(response => response.Content.ReadAsStringAsync()));
        Assert.All(responses, response => Assert.Equal(HttpStatusCode.OK, response.StatusCode));
        Assert.Single(answers.Distinct());
        Assert.Equal(1, responses.Count(response => !response.Headers.Contains("Idempotency-Replayed")));
        Assert.Equal("3", await world.LedgerAsync(agency));
        foreach (var response in responses) response.Dispose();
    }

    [Fact]
    public async Task More_runs_than_a_process_takes_are_503_with_a_time_to_come_back()
    {
        var (held, free) = (await world.AgencyAsync(), await world.AgencyAsync());
        var key = await world.KeyAsync();
        await using var small = await world.StartApiAsync(
            new RunLimits { AnswerWithin = TimeSpan.Zero, MostInFlight = 1 });
        await using var hold = await world.HoldAsync(held);
        using var first = await small.RunAsync($"/api/agencies/{held}/runs", key);

        using var second = await small.RunAsync($"/api/agencies/{free}/runs", key);

        await ApiAssert.ProblemAsync(second, 503, "too-many-runs");
        Assert.NotNull(second.Headers.RetryAfter);
        Assert.Equal("", await world.LedgerAsync(free));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(256)]
    public async Task A_key_that_is_no_key_is_400(int length)
    {
        using var response = await world.Patient.SendAsync(
            HttpMethod.Post, "/api/runs", await world.KeyAsync(), null,
            ("Idempotency-Key", new string('x', length)));

        var problem = await ApiAssert.ProblemAsync(response, 400, "invalid-parameter");
        Assert.Equal(
            ["Idempotency-Key"], problem.GetProperty("errors").EnumerateObject().Select(error => error.Name));
    }
}
