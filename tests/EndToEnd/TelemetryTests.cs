using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using Actors.Silo.Hosting;
using Xunit;

namespace Actors.Tests.EndToEnd;

/// <summary>What a process tells a collector and Prometheus, as somebody who operates it would set it up.</summary>
public sealed class TelemetryTests : IAsyncLifetime
{
    private const string TraceId = "0af7651916cd43dd8448eb211c80319c";
    private const string SampleAgency = "a0000000-0000-4000-8000-000000000001";

    private readonly EmbeddedFolder folder = new();
    private readonly Collector collector = new();
    private readonly int port = RunningUp.FreePort();
    private readonly HttpClient http = new();
    private ChildProgram? program;

    public async ValueTask InitializeAsync()
    {
        await collector.InitializeAsync();
        var environment = new Dictionary<string, string>
        {
            [TelemetrySettings.CollectorVariable] = collector.Address.ToString(),
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
            ["OTEL_BSP_SCHEDULE_DELAY"] = "100",
            ["OTEL_METRIC_EXPORT_INTERVAL"] = "300",
            [TelemetrySettings.MetricsVariable] = "1",
            [TelemetrySettings.LogVariable] = "json",
        };
        program = ChildProgram.ActorsWith(environment, "up", "--data", folder.Path, "--port", $"{port}");
        await program.ReadUntilAsync("ready ");
        http.BaseAddress = new Uri($"http://127.0.0.1:{port}");
    }

    [Fact]
    public async Task A_run_is_one_trace_down_to_its_SQL_is_counted_and_is_logged_as_JSON()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await PostAsync(
            $"/api/agencies/{SampleAgency}/runs", null, ("traceparent", $"00-{TraceId}-b7ad6b7169203331-01"));

        await collector.UntilAllAsync("traces", "a trace down to its SQL", bodies =>
            SpansOf(bodies).Where(span => span.TraceId == TraceId) is var spans && MarksInSql(spans, span => true));
        foreach (var metric in (string[])[
            "actors.installments.marked", "actors.marker.batch.size", "actors.marker.backlog", "actors.sweep.age",
            "actors.agencies.late", "orleans-"])
            await collector.UntilAsync("metrics", metric, body => Collector.Holds(body, metric));
        await collector.UntilAsync("logs", "the end of the run", body => Collector.Holds(body, "Done: run by"));

        var scraped = await http.GetStringAsync(new Uri("/metrics", UriKind.Relative), cancellationToken);
        Assert.Contains("actors_installments_marked", scraped, StringComparison.Ordinal);
        // The metrics need no key: pools are called by their applications' names, and not by how they are reached.
        Assert.Contains("\"actors-api\"", scraped, StringComparison.Ordinal);
        Assert.All(
            (string[])["Host=", "Database=", "Username=", "actors_silo", "actors_api"],
            secret => Assert.DoesNotContain(secret, scraped, StringComparison.OrdinalIgnoreCase));

        using var entry = JsonDocument.Parse(await LineAsync("Done: run by", TraceId));
        Assert.EndsWith("Z", entry.RootElement.GetProperty("Timestamp").GetString(), StringComparison.Ordinal);
        Assert.Contains(
            entry.RootElement.GetProperty("Scopes").EnumerateArray(),
            scope => scope.ValueKind == JsonValueKind.Object
                && scope.TryGetProperty("TraceId", out var trace) && trace.GetString() == TraceId);
    }

    [Fact]
    public async Task A_tick_of_a_reminder_is_one_trace_down_to_its_SQL_and_says_how_late_it_was()
    {
        // A new agency is served through its yesterday at once, and its first cutoff comes in some seconds.
        var cutoff = TimeProvider.System.GetUtcNow().AddSeconds(5);
        await PostAsync("/api/agencies", new
        {
            name = "Soon",
            timezone = "UTC",
            overdueCutoffTime = cutoff.ToString("HH:mm:ss", CultureInfo.InvariantCulture),
        });

        await collector.UntilAllAsync("traces", "a tick down to its SQL", bodies => MarksInSql(
            SpansOf(bodies), span => span.Name.EndsWith("ReceiveReminder", StringComparison.Ordinal)));
        await collector.UntilAsync(
            "metrics", "the lateness of a tick",
            body => Collector.Holds(body, "actors.cutoff.lateness") && Collector.Holds(body, "reminder"));
    }

    private static IEnumerable<OtlpSpan> SpansOf(IEnumerable<byte[]> bodies) => bodies.SelectMany(OtlpSpan.In);

    /// <summary>Whether a statement was sent within a batch that was begun within a span like this.</summary>
    private static bool MarksInSql(IEnumerable<OtlpSpan> spans, Func<OtlpSpan, bool> isBeginning)
    {
        var all = spans.GroupBy(span => span.Id).ToDictionary(same => same.Key, same => same.First());
        return all.Values.Where(span => span.Scope == "Npgsql").Any(statement =>
            Ancestors(statement).SkipWhile(span => span.Name != "mark installments").Skip(1).Any(isBeginning));

        IEnumerable<OtlpSpan> Ancestors(OtlpSpan span)
        {
            while (all.TryGetValue(span.ParentId, out var parent)) yield return span = parent;
        }
    }

    private async Task PostAsync(string path, object? json, params (string Name, string Value)[] headers)
    {
        var key = await ChildProgram.RunActorsAsync(
            "key", "create", "--name", "telemetry", "--scope", "admin", "--data", folder.Path);
        using var request = new HttpRequestMessage(HttpMethod.Post, path);
        request.Headers.Add("X-API-Key", key.Output);
        foreach (var (name, value) in headers) request.Headers.Add(name, value);
        if (json is not null) request.Content = JsonContent.Create(json);
        using var answer = await http.SendAsync(request, TestContext.Current.CancellationToken);
        answer.EnsureSuccessStatusCode();
    }

    /// <summary>The first line of the log in which all of this stands.</summary>
    private async Task<string> LineAsync(params string[] texts)
    {
        while (await program!.ReadLineAsync().WaitAsync(TimeSpan.FromMinutes(1)) is { } line)
            if (texts.All(text => line.Contains(text, StringComparison.Ordinal))) return line;
        throw new InvalidOperationException($"The program ended without a line with {string.Join(", ", texts)}.");
    }

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        if (program is not null)
        {
            await program.TerminateAsync();
            program.Dispose();
        }

        await folder.DisposeAsync();
        await collector.DisposeAsync();
    }
}
