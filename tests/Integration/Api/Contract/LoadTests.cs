using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;
using Actors.Api.Access;
using Actors.Tests.Support;
using Xunit;

namespace Actors.Tests.Integration.Api.Contract;

/// <summary>
/// Two hundred clients trigger and read for half a minute, with the limits as they are by default, while agencies reach
/// their cutoffs. ACTORS_TEST_LOAD=1 runs it, and prints what it saw.
/// </summary>
public sealed class LoadTests(LimitedProcess process) : IClassFixture<LimitedProcess>
{
    private const int Clients = 200;
    private const int Keys = 20;
    private const int CutoffsMeanwhile = 40;
    private const int FewestServed = 300;
    private static readonly TimeSpan Time = TimeSpan.FromSeconds(30);

    /// <summary>Beyond it an alert is raised: the reminder missed it, and the sweep found it.</summary>
    private static readonly TimeSpan LatestCutoff = TimeSpan.FromSeconds(10);

    /// <summary>The cutoffs that came meanwhile, without the row with which a new agency starts.</summary>
    private const string CutoffsServed =
        """
        FROM agency_runs AS r JOIN agencies AS a ON a.id = r.agency_id
        WHERE a.name LIKE 'Cutoff %' AND r.serves_cutoff AND r.status = 'success' AND r.cutoff_at > a.created_at
        """;

    private static readonly string[] Reads =
    [
        "/api/agencies?limit=50", "/api/jobs", "/api/alerts", "/api/installments/overdue", "/api/installments/due-soon",
    ];

    [Fact]
    public async Task Under_load_nothing_fails_and_no_cutoff_is_late()
    {
        Assert.SkipUnless(
            Environment.GetEnvironmentVariable("ACTORS_TEST_LOAD") == "1", "takes half a minute: ACTORS_TEST_LOAD=1");
        var agencies = await process.AgenciesAsync();
        var keys = await process.AddKeysAsync(Keys);
        await process.AddCutoffsAsync(CutoffsMeanwhile);
        var seen = new ConcurrentBag<(string What, HttpStatusCode Status, double Milliseconds)>();

        using var time = new CancellationTokenSource(Time);
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(client => Task.Run(() => ActAsync(client, time.Token))));

        await Eventually.HoldsAsync("every cutoff is served", async () =>
            await process.ReadAsync<long>($"SELECT count(*) {CutoffsServed}") == CutoffsMeanwhile);
        Report(seen);
        var latest = await process.ReadAsync<double>(
            $"SELECT extract(epoch FROM max(r.late_by))::double precision {CutoffsServed}");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"latest cutoff: {latest:0.00} s late"));
        Assert.InRange(latest, 0, LatestCutoff.TotalSeconds);
        Assert.All(
            seen.Select(one => one.Status).Distinct(),
            status => Assert.Contains(
                status, new[] { HttpStatusCode.OK, HttpStatusCode.Accepted, HttpStatusCode.TooManyRequests }));
        // An API that refuses everybody is soon done, too.
        foreach (var what in (string[])["read", "trigger"])
        {
            var served = seen.Count(one => one.What == what && one.Status != HttpStatusCode.TooManyRequests);
            Assert.True(served >= FewestServed, $"Only {served} requests to {what} were served.");
        }

        Assert.Equal(0, await process.ReadAsync<long>("SELECT count(*) FROM alerts WHERE kind = 'cutoff_late'"));

        async Task ActAsync(int client, CancellationToken untilThen)
        {
            var random = new Random(client);
            while (!untilThen.IsCancellationRequested)
            {
                var triggers = random.Next(5) == 0;
                using var request = triggers
                    ? new HttpRequestMessage(
                        HttpMethod.Post, $"/api/agencies/{agencies[random.Next(agencies.Count)]}/runs")
                    {
                        Content = new StringContent("""{"reason":"load"}""", Encoding.UTF8, "application/json"),
                    }
                    : new HttpRequestMessage(HttpMethod.Get, Reads[random.Next(Reads.Length)]);
                request.Headers.Add("X-API-Key", keys[client % Keys]);
                var started = Stopwatch.GetTimestamp();
                using var answer = await process.Anonymous.SendAsync(request, CancellationToken.None);
                await answer.Content.ReadAsByteArrayAsync(CancellationToken.None);
                seen.Add((
                    triggers ? "trigger" : "read", answer.StatusCode,
                    Stopwatch.GetElapsedTime(started).TotalMilliseconds));
            }
        }
    }

    private static void Report(IEnumerable<(string What, HttpStatusCode Status, double Milliseconds)> seen)
    {
        var report = new StringBuilder("Load:");
        foreach (var kind in seen.GroupBy(one => (one.What, one.Status)).OrderBy(kind => kind.Key))
        {
            var times = kind.Select(one => one.Milliseconds).Order().ToArray();
            report.Append(CultureInfo.InvariantCulture,
                $"\n{kind.Key.What} {(int)kind.Key.Status}: {times.Length}, p50 {times[times.Length / 2]:0.0} ms, ")
                .Append(CultureInfo.InvariantCulture, $"p99 {times[times.Length * 99 / 100]:0.0} ms");
        }

        Console.WriteLine(report);
    }
}

/// <summary>The process with the limits that it has by default.</summary>
public sealed class LimitedProcess : OpenProcess
{
    public override ApiLimits Limits { get; } = new();

    /// <summary>Sends no key of its own.</summary>
    public HttpClient Anonymous => anonymous ??= new HttpClient { BaseAddress = Http.BaseAddress };

    private HttpClient? anonymous;

    public async Task<IReadOnlyList<Guid>> AgenciesAsync()
    {
        await using var command = Database.CreateCommand("SELECT id FROM agencies");
        await using var reader = await command.ExecuteReaderAsync();
        var ids = new List<Guid>();
        while (await reader.ReadAsync()) ids.Add(reader.GetGuid(0));
        return ids;
    }

    /// <summary>Keys that may trigger and read.</summary>
    public async Task<IReadOnlyList<string>> AddKeysAsync(int count)
    {
        var keys = new List<string>();
        for (var index = 0; index < count; index++)
        {
            var key = ApiKey.Create();
            await new ApiKeyStore(Database).AddAsync(
                ApiKeyName.Parse($"load {index}", out _)!, key,
                ApiKeyScopes.Of([AccessPolicies.Trigger, AccessPolicies.Read]), null, CancellationToken.None);
            keys.Add(key.Reveal());
        }

        return keys;
    }

    /// <summary>Agencies whose cutoffs come one after the other within the next half minute.</summary>
    public async Task AddCutoffsAsync(int count)
    {
        await using var add = Database.CreateCommand(
            """
            INSERT INTO agencies (name, timezone, overdue_cutoff_time)
            SELECT 'Cutoff ' || n, 'UTC',
                   ((clock_timestamp() AT TIME ZONE 'UTC') + interval '4 seconds' + n * interval '0.6 seconds')::time(0)
            FROM generate_series(1, $1) AS n
            """);
        add.Parameters.Add(new() { Value = count });
        await add.ExecuteNonQueryAsync();
    }
}
