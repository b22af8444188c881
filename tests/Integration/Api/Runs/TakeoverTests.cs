using System.Net;
using Actors.Api.Access;
using Actors.Api.Runs;
using Actors.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Actors.Tests.Integration.Api.Runs;

/// <summary>
/// What becomes of a run whose process of the API is gone, stops, or loses its answer: a retry takes it over under the
/// same id, nothing is marked twice, and while the first is at it nobody does.
/// </summary>
public sealed class TakeoverTests(RunsWorld world) : IClassFixture<RunsWorld>
{
    [Fact]
    public async Task A_process_that_says_nothing_any_more_is_replaced_under_the_same_run_and_nothing_is_marked_twice()
    {
        var agency = await world.AgencyAsync(due: 4);
        var (key, path) = (await world.KeyAsync(), $"/api/agencies/{agency}/runs");
        // Its lease is over at once, and it never prolongs it: to the others it is as good as killed.
        await using var gone = await world.StartApiAsync(new RunLimits
        {
            AnswerWithin = TimeSpan.Zero,
            Lease = TimeSpan.Zero,
            ProlongEvery = TimeSpan.FromDays(1),
        });
        Guid run;
        await using (await world.HoldAsync(agency))
        {
            using var first = await gone.RunAsync(path, key, null, "crash");
            run = (await ApiAssert.JsonAsync(first)).GetProperty("id").GetGuid();
            using var second = await world.Hasty.RunAsync(path, key, null, "crash");
            Assert.Equal(first.Headers.Location, second.Headers.Location);
            Assert.Equal("2, true", await LeaseAsync(run));
        }

        using var answer = await world.Patient.RunAsync(path, key, null, "crash");
        var body = await ApiAssert.JsonAsync(answer);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(run, body.GetProperty("jobId").GetGuid());
        Assert.Equal(4, body.GetProperty("recordsUpdated").GetInt32());
        Assert.StartsWith("4", await world.LedgerAsync(agency), StringComparison.Ordinal);
        Assert.Equal(
            4, await world.ReadAsync<long>(
                "SELECT sum(records_updated) FROM agency_runs WHERE agency_id = $1", agency));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_was_promised_is_carried_out_though_its_process_is_gone_and_nobody_asks_again(bool isOfMany)
    {
        var (agency, key) = (await world.AgencyAsync(due: 3), await world.KeyAsync("admin"));
        // Killed right after it took the request: a lease that is over, and nothing else.
        var order = new RunOrder(new Caller("any", "any", CallerRole.Admin, "{}"), null, new byte[32], "why", "trace")
        {
            Agency = isOfMany ? null : agency,
        };
        var run = (await world.Patient.Services.GetRequiredService<RunRequestStore>()
            .AddAsync(order, isOfMany ? [agency] : null, TimeSpan.Zero))!.Id;

        await using var other = await world.StartApiAsync(
            new RunLimits { ResumeEvery = TimeSpan.FromMilliseconds(50) }, resumes: true);

        await Eventually.HoldsAsync("the run has its answer", () => world.ReadAsync<bool>(
            "SELECT completed_at IS NOT NULL FROM run_requests WHERE id = $1", run));
        using var found = await world.Patient.GetAsync($"/api/runs/{run}", key);
        var answer = await ApiAssert.JsonAsync(found);
        Assert.Equal("succeeded", answer.GetProperty("status").GetString());
        Assert.Equal(3, answer.GetProperty("recordsUpdated").GetInt32());
        Assert.Equal("3", await world.LedgerAsync(agency));
    }

    [Fact]
    public async Task A_run_of_many_that_is_taken_over_is_for_those_that_were_selected_at_first()
    {
        var name = $"Island {Guid.NewGuid():N}";
        var (one, other) = (await world.AgencyAsync(due: 2, name: name), await world.AgencyAsync(due: 3, name: name));
        var (key, body) = (await world.KeyAsync("admin"), $$$"""{"filter":{"search":"{{{name}}}"}}""");
        await using var gone = await world.StartApiAsync(new RunLimits
        {
            AnswerWithin = TimeSpan.Zero,
            Lease = TimeSpan.Zero,
            ProlongEvery = TimeSpan.FromDays(1),
        });
        Guid later, run;
        await using (await world.HoldAsync(one))
        {
            using var first = await gone.RunAsync("/api/runs", key, body, "many");
            run = (await ApiAssert.JsonAsync(first)).GetProperty("id").GetGuid();
            later = await world.AgencyAsync(due: 4, name: name);
            using var second = await world.Hasty.RunAsync("/api/runs", key, body, "many");
            Assert.Equal(first.Headers.Location, second.Headers.Location);
        }

        using var answered = await world.Patient.RunAsync("/api/runs", key, body, "many");

        var answer = await ApiAssert.JsonAsync(answered);
        Assert.Equal(run, answer.GetProperty("jobId").GetGuid());
        Assert.Equal("succeeded", answer.GetProperty("status").GetString());
        Assert.Equal(5, answer.GetProperty("recordsUpdated").GetInt32());
        Assert.Equal(2, answer.GetProperty("agenciesUpToDate").GetInt32());
        Assert.Equal("2", await world.LedgerAsync(one));
        Assert.Equal("3", await world.LedgerAsync(other));
        Assert.Equal("", await world.LedgerAsync(later));
    }

    [Fact]
    public async Task An_answer_that_was_lost_between_commit_and_writing_is_read_from_the_ledger()
    {
        var agency = await world.AgencyAsync(due: 2);
        var (key, path) = (await world.KeyAsync(), $"/api/agencies/{agency}/runs");
        using var first = await world.Patient.RunAsync(path, key, null, "lost");
        var before = await first.Content.ReadAsStringAsync();
        await Eventually.HoldsAsync("the run was closed", () => world.ReadAsync<bool>(
            "SELECT EXISTS (SELECT FROM jobs_log AS j JOIN run_requests AS r ON r.id = j.id "
            + "WHERE r.idempotency_key = 'lost' AND j.status = 'success')"));
        await world.ExecuteAsync(
            """
            UPDATE run_requests SET completed_at = NULL, answer_status = NULL, answer_body = NULL
            WHERE idempotency_key = 'lost'
            """);

        using var second = await world.Patient.RunAsync(path, key, null, "lost");

        Assert.Equal(before, await second.Content.ReadAsStringAsync());
        Assert.Equal("2", await world.LedgerAsync(agency));
    }

    [Fact]
    public async Task A_process_that_is_at_a_run_is_not_replaced_however_long_it_takes()
    {
        var agency = await world.AgencyAsync(due: 1);
        var (key, path) = (await world.KeyAsync(), $"/api/agencies/{agency}/runs");
        await using var slow = await world.StartApiAsync(new RunLimits
        {
            AnswerWithin = TimeSpan.Zero,
            Lease = TimeSpan.FromSeconds(10),
            ProlongEvery = TimeSpan.FromMilliseconds(50),
        });
        await using var held = await world.HoldAsync(agency);
        using var first = await slow.RunAsync(path, key, null, "slow");
        var run = (await ApiAssert.JsonAsync(first)).GetProperty("id").GetGuid();
        // As if its lease were almost over: it prolongs it in time.
        await world.ExecuteAsync("UPDATE run_requests SET leased_until = requested_at + interval '10.1 s'");
        await Eventually.HoldsAsync("the lease was prolonged", () => world.ReadAsync<bool>(
            "SELECT leased_until > requested_at + interval '10.2 s' FROM run_requests WHERE id = $1", run));

        using var second = await world.Hasty.RunAsync(path, key, null, "slow");

        Assert.Equal(HttpStatusCode.Accepted, second.StatusCode);
        Assert.Equal("1, true", await LeaseAsync(run));
    }

    [Fact]
    public async Task A_process_that_stops_lets_go_and_the_run_goes_on()
    {
        var agency = await world.AgencyAsync(due: 2);
        var (key, path) = (await world.KeyAsync(), $"/api/agencies/{agency}/runs");
        Guid run;
        await using (await world.HoldAsync(agency))
        {
            await using var stopping = await world.StartApiAsync(new RunLimits { AnswerWithin = TimeSpan.Zero });
            using var first = await stopping.RunAsync(path, key, null, "stop");
            run = (await ApiAssert.JsonAsync(first)).GetProperty("id").GetGuid();
            await stopping.StopAsync();
            Assert.Equal("1, false", await LeaseAsync(run));
        }

        await Eventually.HoldsAsync("the log tells how the run ended", async () =>
        {
            using var found = await world.Patient.GetAsync($"/api/runs/{run}", key);
            var answer = await ApiAssert.JsonAsync(found);
            return answer.GetProperty("status").GetString() == "succeeded"
                && answer.GetProperty("recordsUpdated").GetInt32() == 2;
        });
        Assert.Equal("2", await world.LedgerAsync(agency));
    }

    [Fact]
    public async Task An_error_of_the_moment_is_not_kept_and_the_retry_runs_under_the_same_id()
    {
        var agency = await world.AgencyAsync(due: 2);
        var (key, path) = (await world.KeyAsync(), $"/api/agencies/{agency}/runs");
        using var unreachable = Unreachable.Start();
        await using var alone = await world.StartApiAsync(
            new RunLimits { AnswerWithin = TimeSpan.FromMinutes(1) }, unreachable.Grains);
        using var failed = await alone.RunAsync(path, key, null, "moment");
        Assert.True((int)failed.StatusCode >= 500, $"{failed.StatusCode}");
        var run = await world.ReadAsync<Guid>(
            "SELECT id FROM run_requests WHERE idempotency_key = 'moment' AND completed_at IS NULL");
        using var found = await world.Patient.GetAsync($"/api/runs/{run}", key);
        Assert.Equal("failed", (await ApiAssert.JsonAsync(found)).GetProperty("status").GetString());

        using var retried = await world.Patient.RunAsync(path, key, null, "moment");

        Assert.Equal(HttpStatusCode.OK, retried.StatusCode);
        Assert.False(retried.Headers.Contains("Idempotency-Replayed"));
        Assert.Equal(run, (await ApiAssert.JsonAsync(retried)).GetProperty("jobId").GetGuid());
        Assert.Equal("2", await world.LedgerAsync(agency));
    }

    [Fact]
    public async Task A_call_that_times_out_is_not_the_end_of_the_run_and_the_log_tells_it()
    {
        var (key, name) = (await world.KeyAsync("read"), $"timed out {Guid.NewGuid():N}");
        var order = new RunOrder(
            new Caller(name, name, CallerRole.Trigger, "{}"), name, new byte[32], "why", "trace");
        var ticket = await world.Patient.Services.GetRequiredService<RunRequestStore>()
            .AddAsync(order, null, TimeSpan.FromMinutes(1));

        Assert.Null(await world.Patient.Services.GetRequiredService<RunsInFlight>()
            .Begin(ticket!, () => Task.FromException<KeptAnswer>(new TimeoutException()), "trace"));

        Assert.Equal("running", await StatusAsync());
        await world.ExecuteAsync(
            "INSERT INTO jobs_log (id, job_name, started_at, status) VALUES ($1, 'any', now(), 'running')", ticket!.Id);
        Assert.Equal("running", await StatusAsync());
        await world.ExecuteAsync(
            "UPDATE jobs_log SET status = 'failed', completed_at = now(), error_message = 'x' WHERE id = $1",
            ticket.Id);
        Assert.Equal("failed", await StatusAsync());

        async Task<string?> StatusAsync()
        {
            using var found = await world.Patient.GetAsync($"/api/runs/{ticket!.Id}", key);
            return (await ApiAssert.JsonAsync(found)).GetProperty("status").GetString();
        }
    }

    /// <summary>The attempt, and whether some process is at the run.</summary>
    private Task<string> LeaseAsync(Guid run) => world.ReadAsync<string>(
        "SELECT concat_ws(', ', attempt, CASE WHEN leased_until > clock_timestamp() THEN 'true' ELSE 'false' END) "
        + "FROM run_requests WHERE id = $1", run);
}
