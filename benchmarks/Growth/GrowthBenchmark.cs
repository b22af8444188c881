using System.Globalization;
using Actors.Benchmarks.Burst;
using Actors.Benchmarks.Databases;
using Actors.Benchmarks.Measuring;

namespace Actors.Benchmarks.Growth;

/// <summary>How large, and how often.</summary>
/// <param name="Agencies">Of each burst.</param>
/// <param name="Repetitions">Of ours and of the statement, at each size.</param>
/// <param name="LeadSeconds">To the cutoff, and one more for each 2,000 agencies.</param>
/// <param name="Folder">Where the picture goes.</param>
internal sealed record GrowthSize(IReadOnlyList<int> Agencies, int Repetitions, int LeadSeconds, string Folder);

/// <summary>
/// The same burst at one size after the other, its silo in a process of its own, beside one UPDATE of the same rows.
/// </summary>
internal sealed class GrowthBenchmark(BenchmarkServer server, GrowthSize size, Action<string> report)
{
    private const string Ours = "Actors";
    private const string Plain = "one UPDATE";
    private const int AgenciesPerSecond = 2_000;
    private const string Template = "growth_template";
    private const string Work = "growth_work";
    private const string Picture = "growth.svg";

    /// <summary>Measures each size, draws the picture, and answers the section of the table.</summary>
    public async Task<string> RunAsync(CancellationToken cancellationToken)
    {
        var steps = new List<Step>();
        foreach (var agencies in size.Agencies.Order())
            steps.Add(await MeasureAsync(new PaymentData(agencies, 10, 10, 4, 1), cancellationToken));

        await File.WriteAllTextAsync(Path.Combine(size.Folder, Picture), Draw(steps).ToSvg(), cancellationToken);
        return await DescribeAsync(steps);
    }

    private async Task<Step> MeasureAsync(PaymentData data, CancellationToken cancellationToken)
    {
        report($"Preparing {data.Described} …");
        var template = await server.CreateMigratedAsync(Template);
        await data.FillAsync(template, (await template.NowAsync()).InUtc().Date);
        await template.ArmAsync();
        await template.ExecuteAsync("VACUUM (ANALYZE)");
        var silos = new List<SiloCost>();
        var measured = await Turns.MeasureAsync(
            [
                new(Plain, size.Repetitions, () => MeasureStatementAsync(template)),
                new(Ours, size.Repetitions, () => Lead.LongEnoughAsync(
                    size.LeadSeconds + data.Agencies / AgenciesPerSecond,
                    lead => MeasureOursAsync(template, data, silos, lead))),
            ],
            report, cancellationToken);
        Turns.RequireSameWork(measured, data.ToMark);
        await server.DropAsync(Template);
        await server.DropAsync(Work);
        return new Step(
            data, measured.Single(one => one.Name == Ours), measured.Single(one => one.Name == Plain), silos);
    }

    private async Task<Sample> MeasureStatementAsync(BenchmarkDatabase template)
    {
        var database = await server.CloneAsync(template, Work);
        await database.WarmAsync();
        return await Statement.MeasureAsync(database, Statement.MarkAll);
    }

    private async Task<Sample> MeasureOursAsync(
        BenchmarkDatabase template, PaymentData data, List<SiloCost> silos, int lead)
    {
        var database = await server.CloneAsync(template, Work);
        await database.WarmAsync();
        var cutoff = await Marked.NextSecondAsync(database, lead);
        await database.SetCutoffAsync(cutoff);
        await database.ExecuteAsync("CHECKPOINT");
        await using var silo = ActorsProcess.StartSilo(database);
        if ((await silo.ReadyAsync()).At >= cutoff) throw new CutoffCameTooSoonException();
        var before = silo.Processor;
        var sample = await OurRun.AwaitAsync(database, cutoff, data);
        silos.Add(new SiloCost((await silo.MemoryAsync()).AtMost, silo.Processor - before));
        return sample;
    }

    private static Chart Draw(IReadOnlyList<Step> steps)
    {
        var first = steps[0];
        var last = steps[^1];
        return new Chart(
            "One burst: from the cutoff to the last commit", "agencies", "seconds",
            [
                new("Actors", "#0a58ca", [.. steps.Select(step => Point(step, step.Ours))]),
                new("one UPDATE", "#b35c00", [.. steps.Select(step => Point(step, step.Statement))]),
                new("linear", "#888",
                    [
                        Point(first, first.Ours),
                        (last.Data.Agencies,
                            first.Ours.Median.TotalSeconds * last.Data.Agencies / first.Data.Agencies),
                    ])
                {
                    IsDashed = true,
                },
            ]);

        static (double, double) Point(Step step, Measured measured) =>
            (step.Data.Agencies, measured.Median.TotalSeconds);
    }

    private static readonly string[] Heads =
    [
        "agencies", "Actors", "range", "per 1,000 agencies", "one UPDATE", "to that", "silo's memory, peak",
        "silo's processor, from the lead on", "PostgreSQL's processor", "of the UPDATE", "WAL", "of the UPDATE",
    ];

    private async Task<string> DescribeAsync(IReadOnlyList<Step> steps)
    {
        var rows = steps.Select(step => (string[])
        [
            Text($"{step.Data.Agencies:N0}"),
            Measured.Of(step.Ours.Median),
            step.Ours.Range,
            Measured.Of(step.PerThousand),
            Measured.Of(step.Statement.Median),
            Text($"{step.Ours.Median / step.Statement.Median:0.00} ×"),
            Text($"{step.Silos.Max(silo => silo.PeakMemory) / 1e6:0} MB"),
            Measured.Of(step.Silos.Select(silo => silo.Processor).Order().ElementAt((step.Silos.Count - 1) / 2)),
            Measured.Of(step.Ours.Cost.DatabaseProcessor),
            Measured.Of(step.Statement.Cost.DatabaseProcessor),
            Text($"{step.Ours.Cost.WalBytes / 1e6:0} MB"),
            Text($"{step.Statement.Cost.WalBytes / 1e6:0} MB"),
        ]);
        var (least, most) = (steps[0], steps[^1]);
        return $"""
            Bursts of 10 plans of 10 installments for each agency, one of each plan due, reminders firing in a silo in
            a process of its own, started shortly before; from the cutoff's instant to the closed row of `jobs_log`.
            Beside each, one `UPDATE … FROM payment_plans` of the same rows on a fresh copy of the same database,
            in turn with ours, {size.Repetitions} times. Memory is what was resident at most. What both wrote and
            PostgreSQL's processor are from shortly before the cutoff, so that at small sizes the wait counts too.

            Bar: no worse than linear. {Text($"{most.Data.Agencies:N0}")} agencies take {
                Text($"{most.PerThousand / least.PerThousand:0.00}")} × as long for each 1,000 as {
                Text($"{least.Data.Agencies:N0}")} do; of the steps between two sizes that lie beside each other the
            steepest is {Text($"{SteepestOf(steps):0.00}")} × (the UPDATE's: {
                Text($"{SteepestOf(steps, ofStatement: true):0.00}")} ×). What a small burst takes is mostly a silo
            that has done nothing yet.

            ![Time against agencies, both logarithmic]({Picture})

            {Table.Of(Heads, rows)}
            {await Machine.DescribeAsync(server)}
            """;

        static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>By how much the time for each agency grows from one size to the next, at most.</summary>
    private static double SteepestOf(IReadOnlyList<Step> steps, bool ofStatement = false)
    {
        return steps.Count < 2 ? 1 : steps.Skip(1).Zip(steps, (later, earlier) => Each(later) / Each(earlier)).Max();

        double Each(Step step) =>
            (ofStatement ? step.Statement : step.Ours).Median.TotalSeconds / step.Data.Agencies;
    }

    /// <summary>What a silo took in one repetition.</summary>
    private sealed record SiloCost(long PeakMemory, TimeSpan Processor);

    /// <summary>What one size gave.</summary>
    private sealed record Step(PaymentData Data, Measured Ours, Measured Statement, IReadOnlyList<SiloCost> Silos)
    {
        public TimeSpan PerThousand => Ours.Median * 1_000 / Data.Agencies;
    }
}
