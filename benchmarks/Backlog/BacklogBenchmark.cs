using Actors.Benchmarks.Burst;
using Actors.Benchmarks.Databases;
using Actors.Benchmarks.Measuring;
using NodaTime;

namespace Actors.Benchmarks.Backlog;

/// <summary>
/// All agencies have missed one cutoff, and much is due: from the instant at which the sweep of a starting silo finds
/// them to the closed row of `jobs_log`.
/// </summary>
internal sealed class BacklogBenchmark(
    BenchmarkServer server, PaymentData data, int repetitions, bool isProfiled, Action<string> report)
{
    private const string Ours = "Actors, catching up";
    private const string Plain = "(a) one UPDATE … FROM payment_plans";
    private const string Work = "backlog_work";

    /// <summary>Longer than a run may stay open, so that all is catching up.</summary>
    private static readonly Duration Missed = Duration.FromHours(2);

    /// <summary>Measures, checks that all did the same, and answers the section of the table.</summary>
    public async Task<string> RunAsync(CancellationToken cancellationToken)
    {
        report($"Preparing {data.Described} …");
        var template = await server.CreateMigratedAsync("backlog_template");
        var missed = (await template.NowAsync()) - Missed;
        await data.FillAsync(template, missed.InUtc().Date);
        await template.ExecuteAsync(Sql.Read(Statement.OriginalDefinition));
        await template.ArmAsync();
        await template.ExecuteAsync("VACUUM (ANALYZE)");

        var measured = await Turns.MeasureAsync(
            [
                new(Plain, repetitions, async () => await Statement.MeasureAsync(
                    await CopyAsync(template), Statement.MarkAll)),
                new(Ours, repetitions, () => MeasureOursAsync(template)),
                new("(d) the original's function", repetitions, async () => await Statement.MeasureAsync(
                    await CopyAsync(template), Statement.Original)),
            ],
            report, cancellationToken);
        Turns.RequireSameWork(measured, data.ToMark);
        return $"""
            {data.Described}, all at once by catching up. Ours from the instant at which the sweep of a silo that has
            just been started finds them to the closed row of `jobs_log`, with `agency_runs` and the watermarks; its
            processor time and WAL include the start of the silo. Bar: at most 1.5 times (a).

            {Comparison.Of(measured, Plain, Ours)}
            {await Machine.DescribeAsync(server)}
            """;
    }

    private async Task<BenchmarkDatabase> CopyAsync(BenchmarkDatabase template)
    {
        var copy = await server.CloneAsync(template, Work);
        await copy.WarmAsync();
        return copy;
    }

    private async Task<Sample> MeasureOursAsync(BenchmarkDatabase template)
    {
        var database = await server.CloneAsync(template, Work);
        var cutoff = Instant.FromUnixTimeSeconds((await database.NowAsync() - Missed).ToUnixTimeSeconds());
        await database.SetCutoffAsync(cutoff);
        await database.WarmAsync();
        var run = OurRun.AwaitCatchUpAsync(database, cutoff, data);
        await using (await SiloUnderTest.StartAsync(database))
        {
            var sample = await run;
            if (isProfiled) await StatementProfile.ReportAsync(database, report);
            return sample;
        }
    }
}
