using Actors.Benchmarks.Databases;
using Actors.Benchmarks.Measuring;

namespace Actors.Benchmarks.Burst;

/// <summary>How large, and how often.</summary>
/// <param name="Data">Agencies, plans, installments.</param>
/// <param name="Repetitions">Of ours, of the statement and of the original.</param>
/// <param name="SlowRepetitions">Of Quartz and Hangfire, which take minutes; 0 leaves them out.</param>
/// <param name="LeadSeconds">From the start of a scheduler to the cutoff.</param>
/// <param name="IsProfiled">Whether to report what PostgreSQL spent on each of our statements.</param>
internal sealed record BurstSize(
    PaymentData Data, int Repetitions, int SlowRepetitions, int LeadSeconds, bool IsProfiled = false);

/// <summary>
/// Many agencies with one cutoff: from its instant to the last commit. Ours ends when the row of `jobs_log` is closed,
/// the others when their last transaction is committed; they write neither ledger nor watermark.
/// </summary>
internal sealed class BurstBenchmark(BenchmarkServer server, BurstSize size, Action<string> report)
{
    private const string Ours = "Actors";
    private const string Plain = "(a) one UPDATE … FROM payment_plans";
    private const string Work = "burst_work";

    /// <summary>Measures, checks that all did the same, and answers the section of the table.</summary>
    public async Task<string> RunAsync(CancellationToken cancellationToken)
    {
        report($"Preparing {size.Data.Described} …");
        var template = await server.CreateMigratedAsync("burst_template");
        await size.Data.FillAsync(template, (await template.NowAsync()).InUtc().Date);
        await template.ExecuteAsync(Sql.Read(Statement.OriginalDefinition));
        await template.ArmAsync();
        await template.ExecuteAsync("VACUUM (ANALYZE)");

        List<Contender> contenders =
        [
            new(Plain, size.Repetitions,
                async () => await Statement.MeasureAsync(await CopyAsync(template), Statement.MarkAll)),
            new(Ours, size.Repetitions, () => LongEnoughAsync(lead => MeasureOursAsync(template, lead))),
            new("(d) the original's function", size.Repetitions,
                async () => await Statement.MeasureAsync(await CopyAsync(template), Statement.Original)),
        ];
        if (size.SlowRepetitions > 0)
        {
            var quartz = await server.CloneAsync(template, "burst_quartz");
            await QuartzBurst.ScheduleAsync(quartz, report);
            var hangfire = await server.CloneAsync(template, "burst_hangfire");
            await HangfireBurst.ScheduleAsync(hangfire, report);
            contenders.Add(new(
                "(b) Quartz.NET, clustered, 16 threads", size.SlowRepetitions,
                () => LongEnoughAsync(async lead => await QuartzBurst.MeasureAsync(
                    await CopyAsync(quartz), size, lead))));
            contenders.Add(new(
                "(c) Hangfire, 16 workers", size.SlowRepetitions,
                () => LongEnoughAsync(async lead => await HangfireBurst.MeasureAsync(
                    await CopyAsync(hangfire), size, lead))));
        }

        var measured = await Turns.MeasureAsync(contenders, report, cancellationToken);
        Turns.RequireSameWork(measured, size.Data.ToMark);
        return await DescribeAsync(measured);
    }

    private async Task<BenchmarkDatabase> CopyAsync(BenchmarkDatabase template)
    {
        var copy = await server.CloneAsync(template, Work);
        await copy.WarmAsync();
        return copy;
    }

    private Task<Sample> LongEnoughAsync(Func<int, Task<Sample>> measureAsync) =>
        Lead.LongEnoughAsync(size.LeadSeconds, measureAsync);

    private async Task<Sample> MeasureOursAsync(BenchmarkDatabase template, int leadSeconds)
    {
        var database = await server.CloneAsync(template, Work);
        var cutoff = await Marked.NextSecondAsync(database, leadSeconds);
        await database.SetCutoffAsync(cutoff);
        await database.WarmAsync();
        await using (await SiloUnderTest.StartAsync(database))
        {
            if (await database.NowAsync() >= cutoff) throw new CutoffCameTooSoonException();
            var sample = await OurRun.AwaitAsync(database, cutoff, size.Data);
            if (size.IsProfiled) await StatementProfile.ReportAsync(database, report);
            return sample;
        }
    }

    private async Task<string> DescribeAsync(IReadOnlyList<Measured> measured) =>
        $"""
            {size.Data.Described}. From the cutoff's instant to the last commit; ours with `agency_runs`, the watermarks
            and the closed row of `jobs_log`, its reminders firing in a silo that has just been started. Each repetition
            is on a fresh copy of the same database. Bars: at most 1.6 times (a), and a twentieth of (b).

            {Comparison.Of(measured, Plain, Ours)}
            {await Machine.DescribeAsync(server)}
            """;
}
