using System.Diagnostics;
using System.Net;
using Actors.Api.Access;
using Actors.Benchmarks.Databases;

namespace Actors.Benchmarks.Api;

/// <summary>
/// Readers of the API, each with an API key of its own, so that the usual limits hold for each: none is changed. A
/// reader asks again as soon as it has its answer.
/// </summary>
internal sealed class Readers : IDisposable
{
    private readonly HttpClient[] _clients;

    private Readers(HttpClient[] clients) => _clients = clients;

    public static async Task<Readers> CreateAsync(BenchmarkDatabase database, Uri address, int count)
    {
        await using var source = database.Open();
        var keys = new ApiKeyStore(source);
        var clients = new HttpClient[count];
        for (var reader = 0; reader < count; reader++)
        {
            var key = ApiKey.Create();
            await keys.AddAsync(
                ApiKeyName.Parse($"reader-{reader}", out _)!, key, ApiKeyScopes.Of([AccessPolicies.Read]), null,
                CancellationToken.None);
            clients[reader] = new HttpClient { BaseAddress = new Uri(address, "/api/") };
            clients[reader].DefaultRequestHeaders.Add("X-API-Key", key.Reveal());
        }

        return new Readers(clients);
    }

    /// <summary>The first so many readers ask for this long.</summary>
    public async Task<Answers> AskAsync(Question question, int readers, TimeSpan time)
    {
        var started = Stopwatch.GetTimestamp();
        var parts = await Task.WhenAll(_clients.Take(readers).Select((client, reader) => Task.Run(async () =>
        {
            var (times, failed) = (new List<TimeSpan>(), 0);
            for (var turn = reader; Stopwatch.GetElapsedTime(started) < time; turn++)
            {
                var asked = Stopwatch.GetTimestamp();
                using var answer = await client.GetAsync(question.Paths[turn % question.Paths.Count]);
                await answer.Content.ReadAsByteArrayAsync();
                times.Add(Stopwatch.GetElapsedTime(asked));
                if (answer.IsSuccessStatusCode) continue;
                failed++;
                // A request that is not understood is the benchmark's own fault.
                if (answer.StatusCode is >= HttpStatusCode.BadRequest and < HttpStatusCode.TooManyRequests)
                {
                    throw new InvalidOperationException(
                        $"{answer.RequestMessage!.RequestUri}: {await answer.Content.ReadAsStringAsync()}");
                }
            }

            return (Times: times, Failed: failed);
        })));
        return new Answers(
            [.. parts.SelectMany(part => part.Times).Order()], parts.Sum(part => part.Failed),
            Stopwatch.GetElapsedTime(started));
    }

    public void Dispose()
    {
        foreach (var client in _clients) client.Dispose();
    }
}

/// <summary>What readers got.</summary>
/// <param name="Times">Of each request, the fastest first.</param>
/// <param name="Failed">How many were refused (429), or not answered in time.</param>
/// <param name="Elapsed">From the first request to the last answer.</param>
internal sealed record Answers(IReadOnlyList<TimeSpan> Times, int Failed, TimeSpan Elapsed)
{
    public double PerSecond => Times.Count / Elapsed.TotalSeconds;

    /// <summary>The time that this share of the requests did not exceed.</summary>
    public TimeSpan Percentile(double percent) => Times[(int)Math.Ceiling(percent / 100 * Times.Count) - 1];
}
