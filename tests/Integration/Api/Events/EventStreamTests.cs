using System.Globalization;
using Actors.Api.Events;
using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Api.Events;

/// <summary>The stream of events: what it sends, in which order, and from where on.</summary>
public sealed class EventStreamTests(EventsWorld world) : IClassFixture<EventsWorld>
{
    [Fact]
    public async Task What_happens_is_sent_as_it_happens_with_what_it_is_about()
    {
        var (agency, job) = (Guid.NewGuid(), Guid.NewGuid());
        await using var client = await world.OpenAsync();
        Assert.Equal("ready", client.First);
        Assert.Equal("text/event-stream", client.Response.Content.Headers.ContentType?.MediaType);
        Assert.True(client.Response.Headers.CacheControl?.NoStore);
        Assert.Equal("no", client.Response.Headers.GetValues("X-Accel-Buffering").Single());
        Assert.Equal(TimeSpan.FromSeconds(2), client.ReconnectAfter);

        await world.ExecuteAsync(
            $$"""
            INSERT INTO jobs_log (id, job_name, started_at, status, metadata)
            VALUES ('{{job}}', 'update-installment-statuses', now(), 'running', '{"trigger": "api"}');
            SELECT raise_alert('agency_failed', 'critical', 'k', '{{agency}}', '{{job}}', 'no zone',
              '{"failed_attempts": 1}', now());
            UPDATE alerts SET acknowledged_at = now(), acknowledged_by = 'Ada';
            UPDATE alerts SET resolved_at = now();
            UPDATE jobs_log SET status = 'success', completed_at = now(), records_updated = 2 WHERE id = '{{job}}'
            """);

        var seen = new List<string>();
        for (var number = 0; number < 6; number++)
        {
            var next = (await client.NextAsync())!.Value;
            var data = EventClient.Data(next);
            Assert.Equal(job, data.GetProperty("jobId").GetGuid());
            Assert.EndsWith("Z", data.GetProperty("at").GetString(), StringComparison.Ordinal);
            Assert.Equal(
                next.EventType.StartsWith("run_", StringComparison.Ordinal), !data.TryGetProperty("agencyId", out _));
            Assert.Equal(next.EventId, client.LastEventId);
            seen.Add(next.EventType);
        }

        Assert.Equal(
            ["run_started", "agency_failed", "alert_raised", "alert_acknowledged", "alert_resolved", "run_finished"],
            seen);
    }

    [Fact]
    public async Task A_client_that_comes_again_goes_on_where_it_left_off()
    {
        string left;
        await using (var client = await world.OpenAsync())
        {
            await world.NoteAsync(1, 2, 3);
            Assert.Equal([1, 2], await client.NumbersAsync(2));
            left = client.LastEventId;
        }

        await world.NoteAsync(4);
        await using var byHeader = await world.OpenAsync(lastEventId: left);
        await using var byQuery = await world.OpenAsync($"/api/events?since={left}");
        await using var byBoth = await world.OpenAsync("/api/events?since=0", left);
        await using var byNone = await world.OpenAsync();
        await world.NoteAsync(5);

        foreach (var client in new[] { byHeader, byQuery, byBoth })
        {
            Assert.Equal("ready", client.First);
            Assert.Equal([3, 4, 5], await client.NumbersAsync(3));
        }

        Assert.Equal([5], await byNone.NumbersAsync(1));
    }

    [Fact]
    public async Task A_client_that_saw_nothing_yet_but_that_it_was_ready_misses_nothing_either()
    {
        string left;
        await using (var client = await world.OpenAsync()) left = client.LastEventId;
        await world.NoteAsync(6);

        await using var again = await world.OpenAsync(lastEventId: left);

        Assert.Equal([6], await again.NumbersAsync(1));
    }

    [Fact]
    public async Task A_transaction_that_took_its_id_early_and_committed_late_is_missed_by_nobody()
    {
        await using var staying = await world.OpenAsync();
        await using var connection = await world.Owner.OpenConnectionAsync();
        await using var early = await connection.BeginTransactionAsync();
        await using (var insert = new NpgsqlCommand(
            "INSERT INTO events (kind, details) VALUES ('agency_changed', '100'); NOTIFY actors_events", connection))
            await insert.ExecuteNonQueryAsync();
        await world.NoteAsync(101);
        Assert.Equal([101], await staying.NumbersAsync(1));
        var left = staying.LastEventId;

        await early.CommitAsync();
        await world.NoteAsync(102);

        Assert.Equal([100, 102], await staying.NumbersAsync(2));
        await using var coming = await world.OpenAsync(lastEventId: left);
        Assert.Equal([100, 102], await coming.NumbersAsync(2));
    }

    [Fact]
    public async Task Clients_that_come_and_go_while_many_write_get_every_event_once_and_in_one_order()
    {
        const int writers = 5, each = 40, clients = 3;
        string start;
        await using (var first = await world.OpenAsync()) start = first.LastEventId;

        var following = Enumerable.Range(0, clients).Select(client => FollowAsync(client + 3)).ToList();
        await Task.WhenAll(Enumerable.Range(0, writers).Select(async writer =>
        {
            for (var number = 0; number < each; number++)
                await world.NoteAsync((writer * 2_000) + (2 * number), (writer * 2_000) + (2 * number) + 1);
        }));
        var seen = await Task.WhenAll(following);

        Assert.Equal(2 * writers * each, seen[0].Distinct().Count());
        Assert.All(seen, numbers => Assert.Equal(seen[0], numbers));
        // What one transaction wrote, or one writer after the other, is in its order.
        Assert.All(
            seen[0].GroupBy(number => number / 2_000),
            writer => Assert.Equal(writer.Order(), writer));

        async Task<List<int>> FollowAsync(int atOnce)
        {
            var numbers = new List<int>();
            var left = start;
            while (numbers.Count < 2 * writers * each)
            {
                await using var client = await world.OpenAsync(lastEventId: left);
                numbers.AddRange(
                    await client.NumbersAsync(Math.Min(atOnce, (2 * writers * each) - numbers.Count)));
                left = client.LastEventId;
            }

            return numbers;
        }
    }

    [Fact]
    public async Task Whoever_was_away_for_too_long_is_told_to_load_anew()
    {
        await world.NoteAsync(1, 2, 3);
        await using var before = await world.OpenAsync();
        await world.ExecuteAsync("UPDATE events SET at = now() - interval '8 days'");
        await world.ExecuteAsync("SELECT actors.trim_events('7 days', 100000)");
        var last = long.Parse(before.LastEventId, CultureInfo.InvariantCulture);

        await using var away = await world.OpenAsync(lastEventId: $"{last - 2}");
        await using var ahead = await world.OpenAsync(lastEventId: $"{last + 1_000}");
        await using var beforeTheLast = await world.OpenAsync(lastEventId: $"{last - 1}");
        await world.NoteAsync(4);

        foreach (var client in new[] { away, ahead })
        {
            Assert.Equal("reset", client.First);
            Assert.Equal([4], await client.NumbersAsync(1));
        }

        Assert.Equal("ready", beforeTheLast.First);
        Assert.Equal([3, 4], await beforeTheLast.NumbersAsync(2));
    }

    [Theory]
    [InlineData("/api/events?since=yesterday", null, "since")]
    [InlineData("/api/events?since=-1", null, "since")]
    [InlineData("/api/events?since=99999999999999999999", null, "since")]
    [InlineData("/api/events", "1.5", "Last-Event-ID")]
    [InlineData("/api/events?after=1", null, "after")]
    public async Task What_is_no_id_is_400_by_name(string path, string? lastEventId, string name)
    {
        using var response = await world.Api.GetAsync(
            path, world.Reader, lastEventId is null ? [] : [("Last-Event-ID", lastEventId)]);

        var problem = await ApiAssert.ProblemAsync(response, 400, "invalid-parameter");
        Assert.Equal([name], problem.GetProperty("errors").EnumerateObject().Select(error => error.Name));
    }

    [Fact]
    public async Task A_key_that_may_only_trigger_is_refused()
    {
        using var response = await world.Api.GetAsync("/api/events", await world.KeyAsync("trigger"));

        await ApiAssert.ProblemAsync(response, 403, "scope-missing");
    }

    [Fact]
    public async Task Two_processes_send_the_same_events_under_the_same_ids()
    {
        await using var other = await world.StartAsync(new EventLimits());
        await using var one = await world.OpenAsync();
        await using var two = await world.OpenAsync(api: other);

        await world.NoteAsync(8, 9);

        Assert.Equal([8, 9], await one.NumbersAsync(2));
        Assert.Equal([8, 9], await two.NumbersAsync(2));
        Assert.Equal(one.LastEventId, two.LastEventId);
    }

    [Fact]
    public async Task A_client_that_does_not_read_costs_one_batch_and_misses_nothing()
    {
        const int count = 3_000;
        await using var client = await world.OpenAsync();
        var padding = new string('x', 1_000);
        await world.ExecuteAsync(
            $"""
            INSERT INTO events (kind, details)
            SELECT 'alert_raised', jsonb_build_object('n', n, 'pad', '{padding}') FROM generate_series(1, {count}) AS n;
            NOTIFY actors_events
            """);
        // Others are served while it sleeps: it holds no connection, and nobody waits for it.
        await using var awake = await world.OpenAsync();
        await world.NoteAsync(11);
        Assert.Equal([11], await awake.NumbersAsync(1));

        for (var number = 1; number <= count; number++)
        {
            var details = EventClient.Data((await client.NextAsync())!.Value).GetProperty("details");
            Assert.Equal(number, details.GetProperty("n").GetInt32());
        }

        Assert.Equal([11], await client.NumbersAsync(1));
    }
}
