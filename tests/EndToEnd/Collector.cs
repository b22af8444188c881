using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Actors.Tests.EndToEnd;

/// <summary>An OpenTelemetry collector: takes what is sent over HTTP, and keeps the bytes.</summary>
public sealed class Collector : IAsyncLifetime
{
    private readonly ConcurrentQueue<(string Signal, byte[] Body)> received = new();
    private readonly Channel<bool> arrivals = Channel.CreateUnbounded<bool>();
    private WebApplication? app;

    public Uri Address { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        app = builder.Build();
        app.MapPost("/v1/{signal}", async (string signal, HttpRequest request) =>
        {
            using var body = new MemoryStream();
            await request.Body.CopyToAsync(body);
            received.Enqueue((signal, body.ToArray()));
            arrivals.Writer.TryWrite(true);
        });
        await app.StartAsync();
        Address = new Uri(app.Urls.First());
    }

    /// <summary>Waits until something of this signal (traces, metrics, logs) is as it should be.</summary>
    /// <param name="signal">What is sent so.</param>
    /// <param name="what">What is awaited, as the end of a sentence.</param>
    /// <param name="isAsExpected">Looked at for everything that was sent.</param>
    /// <exception cref="TimeoutException">In a minute it never came.</exception>
    public Task UntilAsync(string signal, string what, Func<byte[], bool> isAsExpected) =>
        UntilAllAsync(signal, what, bodies => bodies.Any(isAsExpected));

    /// <summary>
    /// Waits until all of this signal together is as it should be: what belongs together may be sent apart.
    /// </summary>
    /// <exception cref="TimeoutException">In a minute it never came.</exception>
    public async Task UntilAllAsync(string signal, string what, Func<IEnumerable<byte[]>, bool> areAsExpected)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        try
        {
            while (!areAsExpected(received.Where(one => one.Signal == signal).Select(one => one.Body)))
                await arrivals.Reader.ReadAsync(limit.Token);
        }
        catch (OperationCanceledException expired)
        {
            var sent = string.Join(
                ", ", received.CountBy(one => one.Signal).Select(pair => $"{pair.Value} {pair.Key}"));
            throw new TimeoutException($"Among what was sent ({sent}) there never was {what}.", expired);
        }
    }

    /// <summary>Whether a text stands somewhere in the bytes.</summary>
    public static bool Holds(byte[] body, string text) => body.AsSpan().IndexOf(Encoding.UTF8.GetBytes(text)) >= 0;

    public async ValueTask DisposeAsync()
    {
        if (app is not null) await app.DisposeAsync();
    }
}
