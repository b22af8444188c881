using System.Globalization;
using Actors.Benchmarks.Databases;
using Actors.Benchmarks.Measuring;

namespace Actors.Benchmarks.Api;

/// <summary>How large, and for how long.</summary>
/// <param name="Sizes">Rows of the log, and agencies.</param>
/// <param name="Ledger">Rows of the ledger at each size.</param>
/// <param name="Readers">At the same time.</param>
/// <param name="Seconds">For each kind of request.</param>
internal sealed record ApiSize(IReadOnlyList<int> Sizes, int Ledger, int Readers, int Seconds);

/// <summary>Lists of runs and agencies over the real API, in a process of its own, with many readers at once.</summary>
internal sealed class ApiBenchmark(BenchmarkServer server, ApiSize size, Action<string> report)
{
    private const string Work = "api_work";

    private static readonly TimeSpan Alone = TimeSpan.FromSeconds(1);

    /// <summary>Measures each kind at each size, and answers the section of the table.</summary>
    public async Task<string> RunAsync(CancellationToken cancellationToken)
    {
        var asked = new List<Asked>();
        foreach (var rows in size.Sizes.Order()) asked.AddRange(await MeasureAsync(rows, cancellationToken));
        return await DescribeAsync(asked);
    }

    private async Task<List<Asked>> MeasureAsync(int rows, CancellationToken cancellationToken)
    {
        var data = new ListData(rows, rows, size.Ledger);
        var database = await server.CreateMigratedAsync(Work);
        await data.FillAsync(database, report);
        var questions = await Question.AllAsync(database, data);
        await database.ExecuteAsync("CHECKPOINT");
        await using var api = ActorsProcess.StartApi(database);
        var (_, address) = await api.ReadyAsync();
        using var readers = await Readers.CreateAsync(database, address, size.Readers);
        var asked = new List<Asked>();
        foreach (var question in questions)
        {
            cancellationToken.ThrowIfCancellationRequested();
            await readers.AskAsync(question, 1, Alone / 2);
            var alone = await readers.AskAsync(question, 1, Alone);
            var (meter, processor) = (await Meter.StartAsync(database), api.Processor);
            var answers = await readers.AskAsync(question, size.Readers, TimeSpan.FromSeconds(size.Seconds));
            processor = api.Processor - processor;
            var cost = await meter.ReadAsync();
            asked.Add(new Asked(question.Name, rows, alone, answers, cost.DatabaseProcessor, processor));
            report($"{rows:N0}, {question.Name}: {string.Join(", ", asked[^1].Cells)}");
        }

        return asked;
    }

    private static readonly string[] Heads =
    [
        "", "p50", "p99", "requests a second", "one reader, p50", "PostgreSQL's processor a request",
        "the API's", "refused",
    ];

    private async Task<string> DescribeAsync(IReadOnlyList<Asked> asked)
    {
        var tables = asked.GroupBy(one => one.Rows).Select(group =>
            $"{group.Key.ToString("N0", CultureInfo.InvariantCulture)} runs and as many agencies:\n\n"
            + Table.Of(Heads, group.Select(one => (string[])[one.Name, .. one.Cells])));
        return $"""
            Pages of 50 rows over HTTP, {size.Readers} readers at the same time, each with an API key of its own and
            asking again as soon as it is answered, for {size.Seconds} s a kind; the API in a process of its own, with
            its usual limits. The ledger has {size.Ledger.ToString("N0", CultureInfo.InvariantCulture)} rows. Readers,
            API and PostgreSQL share the processors, so that with {size.Readers} readers the times are those of a queue:
            what a request costs stands in the columns of processors. "Any page" begins behind a row that was drawn by
            lot. There is no bar.

            {string.Join('\n', tables)}
            {await Machine.DescribeAsync(server)}
            """;
    }

    /// <summary>One kind of request at one size.</summary>
    private sealed record Asked(
        string Name, int Rows, Answers Alone, Answers Answers, TimeSpan Database, TimeSpan Api)
    {
        public string[] Cells =>
        [
            Measured.Of(Answers.Percentile(50)),
            Measured.Of(Answers.Percentile(99)),
            Answers.PerSecond.ToString("N0", CultureInfo.InvariantCulture),
            Measured.Of(Alone.Percentile(50)),
            Measured.Of(Database / Answers.Times.Count),
            Measured.Of(Api / Answers.Times.Count),
            Answers.Failed.ToString("N0", CultureInfo.InvariantCulture),
        ];
    }
}
