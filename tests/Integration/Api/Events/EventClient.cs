using System.Net;
using System.Net.ServerSentEvents;
using System.Text.Json;
using Actors.Api.Access;
using Xunit;

namespace Actors.Tests.Integration.Api.Events;

/// <summary>A client of the stream, as a browser is one. It gives up after half a minute without anything.</summary>
internal sealed class EventClient : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly HttpResponseMessage _response;
    private readonly SseParser<string> _parser;
    private readonly IAsyncEnumerator<SseItem<string>> _events;

    private EventClient(HttpResponseMessage response, Stream body)
    {
        _response = response;
        _parser = SseParser.Create(body);
        _events = _parser.EnumerateAsync().GetAsyncEnumerator();
    }

    /// <summary>The first event: `ready` or `reset`.</summary>
    public string First { get; private set; } = "";

    /// <summary>What a browser sends as Last-Event-ID when it connects again.</summary>
    public string LastEventId => _parser.LastEventId;

    public TimeSpan ReconnectAfter => _parser.ReconnectionInterval;

    public HttpResponseMessage Response => _response;

    public static async Task<EventClient> OpenAsync(ApiProcess api, ApiKey key, string path, string? lastEventId)
    {
        var response = await api.GetAsync(path, key, lastEventId is null ? [] : [("Last-Event-ID", lastEventId)]);
        Assert.True(
            response.StatusCode == HttpStatusCode.OK,
            response.StatusCode == HttpStatusCode.OK ? "" : await response.Content.ReadAsStringAsync());
        return await OfAsync(response);
    }

    /// <summary>The client of a stream whose answer has begun.</summary>
    public static async Task<EventClient> OfAsync(HttpResponseMessage response)
    {
        var client = new EventClient(response, await response.Content.ReadAsStreamAsync());
        client.First = (await client.NextAsync())!.Value.EventType;
        return client;
    }

    /// <summary>The next event; null at the end of the stream.</summary>
    public async Task<SseItem<string>?> NextAsync() =>
        await _events.MoveNextAsync().AsTask().WaitAsync(Limit) ? _events.Current : null;

    /// <summary>The numbers of the next events of <see cref="EventsWorld.NoteAsync"/>.</summary>
    public async Task<List<int>> NumbersAsync(int count)
    {
        var numbers = new List<int>();
        while (numbers.Count < count)
        {
            var next = await NextAsync() ?? throw new EndOfStreamException($"The stream ended after {numbers.Count}.");
            if (next.EventType != "heartbeat") numbers.Add(Data(next).GetProperty("details").GetInt32());
        }

        return numbers;
    }

    public static JsonElement Data(SseItem<string> item) => JsonDocument.Parse(item.Data).RootElement;

    public async ValueTask DisposeAsync()
    {
        await _events.DisposeAsync();
        _response.Dispose();
    }
}
