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
        var key = await ChildProgram.RunActorsAsync("key", "create", "--name", "telemetry", "--data", folder.Path);
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/agencies/{SampleAgency}/runs");
        request.Headers.Add("X-API-Key", key.Output);
        request.Headers.Add("traceparent", $"00-{TraceId}-b7ad6b7169203331-01");
        using var answer = await http.SendAsync(request, cancellationToken);
        answer.EnsureSuccessStatusCode();

        await collector.UntilAllAsync("traces", "a trace down to its SQL", bodies =>
        {
            var spans = bodies.SelectMany(body => Collector.SpansOf(body, TraceId)).ToArray();
            return spans.Contains("mark installments") && spans.Length > 3;
        });
        foreach (var metric in (string[])[
            "actors.installments.marked", "actors.marker.batch.size", "actors.sweep.age",
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

        var line = await program!.ReadLineAsync();
        while (line?.Contains("Done: run by", StringComparison.Ordinal) == false) line = await program.ReadLineAsync();
        using var entry = JsonDocument.Parse(line!);
        Assert.EndsWith("Z", entry.RootElement.GetProperty("Timestamp").GetString(), StringComparison.Ordinal);
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
