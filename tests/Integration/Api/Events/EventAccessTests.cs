using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Actors.Api.Access;
using Actors.Api.Events;
using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Api.Events;

/// <summary>Who is told of what: PostgreSQL decides, row by row, as for every other table.</summary>
public sealed class EventAccessTests(EventsWorld world) : IClassFixture<EventsWorld>
{
    private const string Secret = "a secret of more than thirty-two bytes";

    private static readonly JwtSettings Tokens = JwtSettings.Parse("issuer", null, null, Secret, out _)!;
    private static readonly EventLimits Lively = new() { HeartbeatEvery = TimeSpan.FromMilliseconds(100) };

    [Fact]
    public async Task A_user_who_is_no_admin_is_told_of_nothing_and_an_admin_of_everything()
    {
        await using var api = await world.StartAsync(Lively, tokens: Tokens);
        var (admin, other) = (Guid.NewGuid(), Guid.NewGuid());
        await world.ExecuteAsync($"INSERT INTO user_roles (user_id, role) VALUES ('{admin}', 'admin')");
        await using var seeing = await OpenAsync(api, Token(admin));
        await using var blind = await OpenAsync(api, Token(other));

        await world.NoteAsync(1, 2);

        Assert.Equal([1, 2], await seeing.NumbersAsync(2));
        for (var beat = 0; beat < 5; beat++)
            Assert.Equal("heartbeat", (await blind.NextAsync())!.Value.EventType);

        // Who becomes an admin is told from then on; who is one no longer, is not.
        await world.ExecuteAsync(
            $"INSERT INTO user_roles (user_id, role) VALUES ('{other}', 'admin'); "
            + $"DELETE FROM user_roles WHERE user_id = '{admin}'");
        await world.NoteAsync(3);
        Assert.Equal([3], await blind.NumbersAsync(1));
        for (var beat = 0; beat < 5; beat++)
            Assert.Equal("heartbeat", (await seeing.NextAsync())!.Value.EventType);
    }

    [Fact]
    public async Task A_stream_ends_when_its_token_expires()
    {
        await using var api = await world.StartAsync(Lively, tokens: Tokens);
        await using var client = await OpenForAMomentAsync(api, seconds: 2);

        while (await client.NextAsync() is { } next) Assert.Equal("heartbeat", next.EventType);
    }

    [Theory]
    [InlineData("actors_reader", "2")]
    [InlineData("actors_admin", "2")]
    [InlineData("service_role", "2")]
    [InlineData("authenticated", "0")]
    [InlineData("actors_trigger", "42501")]
    [InlineData("anon", "42501")]
    public async Task Every_role_reads_the_rows_that_are_its_own_to_see(string role, string seen)
    {
        await using var alone = new EventsDatabase();
        await alone.InitializeAsync();
        await alone.NoteAsync();
        await alone.NoteAsync();

        Assert.Equal(seen, await TryAsync(alone, $"SET ROLE {role}; SELECT count(*) FROM events"));
        Assert.Equal(
            role == "service_role" ? "1" : "42501",
            await TryAsync(alone, $"SET ROLE {role}; DELETE FROM events WHERE id = 1 RETURNING 1::bigint"));
    }

    private static async Task<string> TryAsync(EventsDatabase database, string sql)
    {
        await using var connection = await database.Superuser.OpenConnectionAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        try
        {
            return $"{await command.ExecuteScalarAsync()}";
        }
        catch (PostgresException refusal)
        {
            return refusal.SqlState;
        }
    }

    /// <summary>
    /// Opens a stream with a token of which some seconds are left: it is taken for 30 s beyond its end, for clocks that
    /// differ. Where those seconds are over before the stream is open, the next token has twice as many.
    /// </summary>
    private static async Task<EventClient> OpenForAMomentAsync(ApiProcess api, int seconds)
    {
        var response = await AskAsync(api, Token(Guid.NewGuid(), expiresIn: TimeSpan.FromSeconds(seconds - 30)));
        if (response.StatusCode == HttpStatusCode.OK) return await EventClient.OfAsync(response);
        Assert.Equal((HttpStatusCode.Unauthorized, true), (response.StatusCode, seconds < 60));
        response.Dispose();
        return await OpenForAMomentAsync(api, 2 * seconds);
    }

    private static async Task<EventClient> OpenAsync(ApiProcess api, string token)
    {
        var response = await AskAsync(api, token);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await EventClient.OfAsync(response);
    }

    private static async Task<HttpResponseMessage> AskAsync(ApiProcess api, string token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/events");
        request.Headers.Add("Authorization", $"Bearer {token}");
        return await api.Http.SendAsync(
            request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
    }

    private static string Token(Guid user, TimeSpan? expiresIn = null)
    {
        var expires = TimeProvider.System.GetUtcNow() + (expiresIn ?? TimeSpan.FromHours(1));
        var text = Part(new { alg = "HS256", typ = "JWT" }) + "." + Part(new
        {
            iss = "issuer",
            aud = "authenticated",
            sub = user,
            role = "authenticated",
            exp = expires.ToUnixTimeSeconds(),
        });
        var signature = HMACSHA256.HashData(Encoding.UTF8.GetBytes(Secret), Encoding.UTF8.GetBytes(text));
        return $"{text}.{Base64Url.EncodeToString(signature)}";
    }

    private static string Part(object value) => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(value));
}
