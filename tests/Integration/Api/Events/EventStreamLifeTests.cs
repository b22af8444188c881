using System.Net;
using Actors.Api.Events;
using Actors.Tests.Support;
using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Api.Events;

/// <summary>How long a stream of events lives, what it outlives, and how many there may be.</summary>
public sealed class EventStreamLifeTests(EventsWorld world) : IClassFixture<EventsWorld>
{
    private static readonly EventLimits Lively = new() { HeartbeatEvery = TimeSpan.FromMilliseconds(50) };

    [Fact]
    public async Task A_stream_says_that_it_is_alive_and_ends_when_its_key_is_revoked()
    {
        await using var api = await world.StartAsync(Lively);
        var key = await world.KeyAsync("read");
        await using var client = await world.OpenAsync(key: key, api: api);
        var before = client.LastEventId;
        Assert.Equal("heartbeat", (await client.NextAsync())!.Value.EventType);
        Assert.Equal("heartbeat", (await client.NextAsync())!.Value.EventType);
        Assert.Equal(before, client.LastEventId);

        await world.ExecuteAsync(
            $"UPDATE api_keys SET revoked_at = now() WHERE key_hash = '\\x{Convert.ToHexString(key.Hash())}'");

        while (await client.NextAsync() is { } next) Assert.Equal("heartbeat", next.EventType);
        using var again = await api.GetAsync("/api/events", key);
        await ApiAssert.ProblemAsync(again, 401, "unauthorized");
    }

    [Fact]
    public async Task A_stream_ends_when_its_key_expires_also_while_events_keep_coming()
    {
        await using var api = await world.StartAsync(Lively);
        var key = await world.KeyAsync("read");
        await using var client = await world.OpenAsync(key: key, api: api);
        await world.ExecuteAsync(
            $"UPDATE api_keys SET expires_at = now() WHERE key_hash = '\\x{Convert.ToHexString(key.Hash())}'");

        using var ended = new CancellationTokenSource();
        var writing = WriteAsync();
        while (await client.NextAsync() is not null)
        {
        }

        await ended.CancelAsync();
        await writing;

        async Task WriteAsync()
        {
            while (!ended.IsCancellationRequested) await world.NoteAsync(1);
        }
    }

    [Fact]
    public async Task More_streams_than_a_process_holds_are_503_until_one_is_closed()
    {
        await using var api = await world.StartAsync(new EventLimits { MostStreams = 2 });
        await using var first = await world.OpenAsync(api: api);
        await using (await world.OpenAsync(api: api))
        {
            using var third = await api.GetAsync("/api/events", world.Reader);
            await ApiAssert.ProblemAsync(third, 503, "too-many-streams");
            Assert.NotNull(third.Headers.RetryAfter);
        }

        await Eventually.HoldsAsync("the place was free again", async () =>
        {
            using var again = await api.GetAsync("/api/events", world.Reader);
            return again.StatusCode == HttpStatusCode.OK;
        });
    }

    [Fact]
    public async Task More_streams_than_one_caller_may_hold_are_429_and_others_get_theirs()
    {
        await using var api = await world.StartAsync(new EventLimits { MostStreamsOfOne = 1 });
        await using (await world.OpenAsync(api: api))
        {
            using var second = await api.GetAsync("/api/events", world.Reader);
            await ApiAssert.ProblemAsync(second, 429, "too-many-own-streams");
            Assert.NotNull(second.Headers.RetryAfter);
            await using var others = await world.OpenAsync(key: await world.KeyAsync("read"), api: api);
        }

        await Eventually.HoldsAsync("the place was free again", async () =>
        {
            using var again = await api.GetAsync("/api/events", world.Reader);
            return again.StatusCode == HttpStatusCode.OK;
        });
    }

    [Fact]
    public async Task A_host_that_stops_ends_its_streams_and_does_not_wait_for_them()
    {
        await using var api = await world.StartAsync(new EventLimits());
        await using var client = await world.OpenAsync(api: api);

        await api.StopAsync();

        Assert.Null(await client.NextAsync());
    }

    [Fact]
    public async Task Without_a_connection_to_listen_on_events_are_found_by_looking()
    {
        await using var api = await world.StartAsync(
            new EventLimits { LookEvery = TimeSpan.FromMilliseconds(50) }, listens: false);
        await using var client = await world.OpenAsync(api: api);

        await world.NoteAsync(7);

        Assert.Equal([7], await client.NumbersAsync(1));
    }

    [Fact]
    public async Task A_stream_outlives_the_loss_of_every_connection_to_the_database()
    {
        // Nobody else's connections are cut.
        await using var alone = new EventsWorld();
        await alone.InitializeAsync();
        await using var api = await alone.StartAsync(new EventLimits { LookEvery = TimeSpan.FromMilliseconds(100) });
        await using var client = await alone.OpenAsync(api: api);
        await using (var superuser = NpgsqlDataSource.Create(alone.Database.SuperuserConnectionString))
        await using (var end = superuser.CreateCommand(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            + "WHERE datname = current_database() AND usename = 'actors_api'"))
            Assert.True((long)(await end.ExecuteScalarAsync())! > 0);

        await alone.NoteAsync(10);

        Assert.Equal([10], await client.NumbersAsync(1));
    }
}
