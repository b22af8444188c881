using System.Globalization;
using Actors.Benchmarks.Databases;
using Actors.Benchmarks.Measuring;
using NodaTime;

namespace Actors.Benchmarks.Arm;

/// <summary>How large, and how often.</summary>
/// <param name="Data">Agencies, with a little data.</param>
/// <param name="Repetitions">Each on a fresh copy of the same database.</param>
/// <param name="ApartMilliseconds">Between the cutoffs that follow a start.</param>
/// <param name="Seconds">For how long they do.</param>
/// <param name="IsProfiled">Whether to report what PostgreSQL spent on each of our statements.</param>
internal sealed record ArmSize(
    PaymentData Data, int Repetitions, int ApartMilliseconds, int Seconds, bool IsProfiled = false)
{
    /// <summary>The first agencies have them, one each.</summary>
    public int Cutoffs => Math.Min(Data.Agencies, Seconds * 1_000 / ApartMilliseconds);
}

/// <summary>
/// Arms agencies that are new, and has a silo that was stopped, and one that was killed, take them over again. All in
/// processes of their own, from the start of the process.
/// </summary>
internal sealed class ArmBenchmark(BenchmarkServer server, ArmSize size, Action<string> report)
{
    private static readonly string[] Heads =
        ["from the start of the silo's process; the latest: from its cutoff", "median", "range", "repetitions"];

    /// <summary>Measures, and answers the section.</summary>
    public async Task<string> RunAsync(CancellationToken cancellationToken)
    {
        report($"Preparing {size.Data.Described} …");
        var template = await server.CreateMigratedAsync("arm_template");
        await size.Data.FillAsync(template, (await template.NowAsync()).InUtc().Date);
        await template.SpreadAsync();

        var processors = new List<(TimeSpan Silo, TimeSpan Database, long Memory)>();
        var times = new SortedDictionary<Step, List<TimeSpan>>();
        for (var repetition = 1; repetition <= size.Repetitions; repetition++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var database = await server.CloneAsync(template, "arm_work");
            await database.WarmAsync();
            await ArmAsync(database);
            await RestartAsync(database, Step.ReadyAgain, Step.TakenOver, Step.Latest, silo => silo.KillAsync());
            await RestartAsync(
                database, Step.ReadyAfterKill, Step.TakenOverAfterKill, Step.LatestAfterKill,
                silo => silo.TerminateAsync());
        }

        return $"""
            {size.Data.Agencies:N0} agencies that are new, with their cutoffs spread over the day, and one silo in a
            process of its own. *Armed*: each has its watermark, a row in the ledger and a persistent reminder, all
            committed. The bar: under 60 s. Then the silo is stopped and another one started; after that it is killed
            (SIGKILL) and another one started, in a cluster that does not know that nobody lives. Meanwhile, and until
            {size.Seconds} s after the start, an agency has its cutoff every {size.ApartMilliseconds} ms. *Taken over*:
            the first commit from which on no more than 1 cutoff in 100 was served later than 1 s, or one where fewer
            than 100 are left. The bar for a restart: under 10 s. *The latest*: by how much, of the cutoffs since the
            start of the process.

            {Table.Of(Heads, times.Select(step => Row(step.Key, step.Value)))}
            Until all were armed, at the median: {Measured.Of(Middle(cost => cost.Silo))} of the silo's processor,
            {Measured.Of(Middle(cost => cost.Database))} of PostgreSQL's, and at most
            {Megabytes(Middle(cost => cost.Memory))} of the machine's memory for the silo.

            {await Machine.DescribeAsync(server)}
            """;

        T Middle<T>(Func<(TimeSpan Silo, TimeSpan Database, long Memory), T> figure) =>
            processors.Select(figure).Order().ElementAt((processors.Count - 1) / 2);

        async Task ArmAsync(BenchmarkDatabase database)
        {
            var meter = await Meter.StartAsync(database);
            await using var silo = ActorsProcess.StartSilo(database);
            Note(Step.Ready, (await silo.ReadyAsync()).At - silo.StartedAt);
            await database.UntilArmedAsync();
            Note(Step.Armed, await database.NowAsync() - silo.StartedAt);
            var cost = await meter.ReadAsync();
            processors.Add((silo.Processor, cost.DatabaseProcessor, (await silo.MemoryAsync()).AtMost));
            report($"   processor {Measured.Of(silo.Processor)}, PostgreSQL's {Measured.Of(cost.DatabaseProcessor)}; "
                + $"memory at most {Megabytes(processors[^1].Memory)}");
            if (size.IsProfiled) await StatementProfile.ReportAsync(database, report);
            await silo.TerminateAsync();
        }

        async Task RestartAsync(
            BenchmarkDatabase database, Step ready, Step takenOver, Step latest, Func<ActorsProcess, Task> endAsync)
        {
            var cutoffs = CutoffsInTurn.From(
                await Marked.NextSecondAsync(database, 1), Duration.FromMilliseconds(size.ApartMilliseconds),
                size.Cutoffs);
            await cutoffs.SetAsync(database);
            await using var silo = ActorsProcess.StartSilo(database);
            Note(ready, (await silo.ReadyAsync()).At - silo.StartedAt);
            var served = await Takeover.AwaitAsync(database);
            Note(takenOver, served.First - silo.StartedAt);
            Note(latest, served.Latest);
            await endAsync(silo);
        }

        void Note(Step step, Duration time)
        {
            report($"{Words(step)}: {Measured.Of(time.ToTimeSpan())}");
            if (!times.TryGetValue(step, out var noted)) times[step] = noted = [];
            noted.Add(time.ToTimeSpan());
        }
    }

    private static string[] Row(Step step, List<TimeSpan> times)
    {
        var measured = new Measured("", [.. times.Select(time => new Sample(time, 0, Cost.None))]);
        return
        [
            Words(step), Measured.Of(measured.Median), measured.Range,
            times.Count.ToString(CultureInfo.InvariantCulture),
        ];
    }

    private static string Megabytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0} MB");

    private enum Step
    {
        Ready,
        Armed,
        ReadyAgain,
        TakenOver,
        Latest,
        ReadyAfterKill,
        TakenOverAfterKill,
        LatestAfterKill,
    }

    private static string Words(Step step) => step switch
    {
        Step.Ready => "ready, nothing armed",
        Step.Armed => "all armed",
        Step.ReadyAgain => "ready again, after a stop",
        Step.TakenOver => "taken over, after a stop",
        Step.Latest => "the latest, after a stop",
        Step.ReadyAfterKill => "ready again, after a kill",
        Step.TakenOverAfterKill => "taken over, after a kill",
        Step.LatestAfterKill => "the latest, after a kill",
        _ => throw new ArgumentOutOfRangeException(nameof(step), step, "no step"),
    };
}
