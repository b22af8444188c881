using Xunit;

namespace Actors.Tests.EndToEnd;

/// <summary>
/// The benchmarks that have a bar still measure something, and all contenders still do the same work: on a few
/// agencies, and without a look at the times.
/// </summary>
public sealed class BenchmarkTests : IAsyncLifetime
{
    private readonly EmbeddedFolder folder = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => folder.DisposeAsync();

    [Fact]
    public async Task Each_benchmark_with_a_bar_measures_its_contenders_and_replaces_its_own_section_of_the_results()
    {
        var results = folder.Beside("results.md");
        await File.WriteAllTextAsync(results, "# any\n\n## idle\n\nmeasured before\n",
            TestContext.Current.CancellationToken);
        (string Name, string[] Sizes, string[] Rows)[] benchmarks =
        [
            ("burst", ["--agencies", "20", "--repetitions", "1", "--slow-repetitions", "1"],
                ["(a) one UPDATE", "Actors", "(d) the original's", "(b) Quartz.NET", "(c) Hangfire"]),
            ("backlog", ["--agencies", "8", "--repetitions", "1"],
                ["(a) one UPDATE", "Actors, catching up", "(d) the original's"]),
            ("round", ["--agencies", "8", "--repetitions", "1", "--history", "2"],
                ["Actors, little history", "Actors, 2 times as much", "(a) one UPDATE, little history"]),
            ("one", ["--cutoffs", "5", "--plans", "2"], ["the commit of ours"]),
        ];
        foreach (var (name, sizes, rows) in benchmarks)
        {
            var (code, output, error) = await ChildProgram.RunBenchmarkAsync(
                folder.Path, [name, "--results", results, .. sizes]);
            Assert.True(code == 0, $"{name}: exit code {code}: {error}");
            Assert.All(rows, row => Assert.Contains($"| {row}", output, StringComparison.Ordinal));
        }

        var written = await File.ReadAllTextAsync(results, TestContext.Current.CancellationToken);
        Assert.All(
            benchmarks.Select(benchmark => benchmark.Name).Append("idle"),
            name => Assert.Contains($"\n## {name}\n", written, StringComparison.Ordinal));
    }
}
