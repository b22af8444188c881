using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using Actors.Silo.CommandLine;
using Xunit;

namespace Actors.Tests.EndToEnd;

/// <summary>Silos and APIs of their own beside an `up`, as processes.</summary>
public sealed partial class SiloAndApiTests : IAsyncLifetime
{
    private readonly EmbeddedFolder folder = new();
    private readonly HttpClient http = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Silos_and_an_api_wait_for_an_up_join_it_and_outlive_it()
    {
        // Started together, they must not take each other's ports.
        using var first = ChildProgram.Actors("silo", "--data", folder.Path);
        using var second = ChildProgram.Actors("silo", "--data", folder.Path);
        using var api = ChildProgram.Actors("api", "--data", folder.Path, "--port", $"{RunningUp.FreePort()}");
        foreach (var waiting in new[] { first, second, api })
            Assert.StartsWith("Waiting: No `up` serves the embedded database in ", await waiting.ReadErrorLineAsync());
        Assert.False(Directory.Exists(folder.Cluster));

        using var up = ChildProgram.Actors("up", "--data", folder.Path, "--port", $"{RunningUp.FreePort()}");
        await up.ReadUntilAsync("ready ");
        var ports = new[] { first, second }.Select(async silo => await PortsOfAsync(silo));
        Assert.Equal(4, (await Task.WhenAll(ports)).SelectMany(pair => pair).Distinct().Count());
        http.BaseAddress = await AddressOfAsync(api);
        var key = (await ChildProgram.RunActorsAsync("key", "create", "--name", "k", "--data", folder.Path)).Output;
        http.DefaultRequestHeaders.Add("X-API-Key", key);
        await BecomesAsync(HttpStatusCode.OK, () => http.GetAsync("/health/ready"));

        Assert.Equal(0, (await up.TerminateAsync()).ExitCode);
        await BecomesAsync(HttpStatusCode.OK, RunOneAsync);

        foreach (var silo in new[] { first, second })
        {
            var stopped = await silo.TerminateAsync();
            Assert.Equal((0, "Stopped."), (stopped.ExitCode, stopped.Output.Split('\n')[^1]));
        }

        await BecomesAsync(HttpStatusCode.ServiceUnavailable, () => http.GetAsync("/health/ready"));
        Assert.Contains(
            "\"silo-unavailable\"", await (await RunOneAsync()).Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(0, (await api.TerminateAsync()).ExitCode);
        // The last one that used the database has stopped it.
        Assert.False(folder.IsServerUp);
    }

    [Fact]
    public async Task Names_and_ports_that_cannot_be_are_refused()
    {
        Refusal.Is(
            await ChildProgram.RunActorsWithAsync("ACTORS_CLUSTER", "two words", "silo", "--data", folder.Path),
            ExitCode.Usage,
            "ACTORS_CLUSTER is 'two words'");
        Refusal.Is(
            await ChildProgram.RunActorsAsync("silo", "--silo-port", "9", "--gateway-port", "9"),
            ExitCode.Usage,
            "give two ports");
        using var taken = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        Refusal.Is(
            await ChildProgram.RunActorsAsync("silo", "--gateway-port", $"{port}"),
            ExitCode.PortInUse,
            $"Port {port} on 127.0.0.1 is taken");
    }

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        await folder.DisposeAsync();
    }

    private Task<HttpResponseMessage> RunOneAsync() =>
        http.PostAsync("/api/agencies/a0000000-0000-4000-8000-000000000001/runs", null);

    /// <summary>A silo that joins or leaves is known elsewhere a moment later.</summary>
    private static Task BecomesAsync(HttpStatusCode wanted, Func<Task<HttpResponseMessage>> ask) =>
        Support.Eventually.HoldsAsync($"the answer is {wanted}", async () =>
        {
            using var answer = await ask();
            return answer.StatusCode == wanted;
        });

    private static async Task<int[]> PortsOfAsync(ChildProgram silo)
    {
        var lines = await silo.ReadUntilAsync("ready ");
        var ports = PortsLine().Match(string.Join('\n', lines));
        return [.. ports.Groups.Values.Skip(1).Select(port => int.Parse(port.Value, CultureInfo.InvariantCulture))];
    }

    private static async Task<Uri> AddressOfAsync(ChildProgram api) =>
        new((await api.ReadUntilAsync("ready "))[^1]["ready ".Length..]);

    [GeneratedRegex(@"Silo of cluster 'actors': ports (\d+) and (\d+) on 127\.0\.0\.1\.")]
    private static partial Regex PortsLine();
}
