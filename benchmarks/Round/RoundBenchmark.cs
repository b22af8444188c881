using System.Globalization;
using Actors.Benchmarks.Burst;
using Actors.Benchmarks.Databases;
using Actors.Benchmarks.Measuring;

namespace Actors.Benchmarks.Round;

/// <summary>
/// All agencies are up to date, and one cutoff passes at which nothing is due: what that costs PostgreSQL for each 256
/// agencies, and whether history matters.
/// </summary>
internal sealed class RoundBenchmark(
    BenchmarkServer server, int agencies, int history, int leadSeconds, int repetitions, bool isProfiled,
    Action<string> report)
{
    private const int PlansPerAgency = 100;
    private const int InstallmentsPerPlan = 12;
    private const int PaidPerPlan = 4;
    private const int Batch = 256;

    private static readonly string[] Heads =
    [
        "", "rows of installments", "repetitions", "whole round, median", "statements of the silo, for 256 agencies",
        "PostgreSQL's processor, for 256 agencies",
    ];

    /// <summary>Measures in turn on both databases, and answers the section of the table.</summary>
    public async Task<string> RunAsync(CancellationToken cancellationToken)
    {
        var little = new Data(Of(InstallmentsPerPlan), "little history");
        var much = new Data(Of(InstallmentsPerPlan * history), $"{history} times as much");
        Data[] sizes = history > 1 ? [little, much] : [little];
        var databases = new Dictionary<Data, BenchmarkDatabase>();
        foreach (var size in sizes) databases[size] = await PrepareAsync(size);

        var statements = sizes.ToDictionary(size => size, _ => new List<TimeSpan>());
        var measured = await Turns.MeasureAsync(
            [.. sizes.SelectMany(size => (Contender[])
            [
                new($"Actors, {size.Name}", repetitions, async () =>
                {
                    var (sample, time) = await Lead.LongEnoughAsync(
                        leadSeconds, lead => MeasureOursAsync(databases[size], size.Rows, lead));
                    statements[size].Add(time);
                    return sample;
                }),
                new($"(a) one UPDATE, {size.Name}", repetitions, () => Statement.MeasureAsync(
                    databases[size], Statement.MarkAll)),
                new($"(d) the original's function, {size.Name}", repetitions, () => Statement.MeasureAsync(
                    databases[size], Statement.Original)),
            ])],
            report, cancellationToken);
        Turns.RequireSameWork(measured, 0);

        var rows = measured.Select(contender =>
        {
            var size = sizes.Single(one => contender.Name.EndsWith(one.Name, StringComparison.Ordinal));
            var isOurs = contender.Name.StartsWith("Actors", StringComparison.Ordinal);
            return (string[])
            [
                contender.Name,
                size.Rows.Installments.ToString("N0", CultureInfo.InvariantCulture),
                contender.Samples.Count.ToString(CultureInfo.InvariantCulture),
                Measured.Of(contender.Median),
                isOurs ? Measured.Of(Share(Measured.Middle(statements[size]))) : "",
                Measured.Of(Share(contender.Cost.DatabaseProcessor)),
            ];
        });
        return $"""
            {agencies:N0} agencies of {PlansPerAgency} plans, all up to date, and nothing due. A whole round is from the
            cutoff's instant to the closed row of `jobs_log`, its reminders firing. What the statements of the silo took
            (planned and executed, Orleans' own too) is what `pg_stat_statements` says of the time from a second before
            the cutoff to the end of the round. Bar: 75 ms for 256 agencies, whatever the history; the goal: 10 ms.

            {Table.Of(Heads, rows)}
            {await Machine.DescribeAsync(server)}
            """;
    }

    private sealed record Data(PaymentData Rows, string Name);

    /// <summary>Nothing due; what is more than the usual is history.</summary>
    private PaymentData Of(int installmentsPerPlan) => new(
        agencies, PlansPerAgency, installmentsPerPlan, installmentsPerPlan - InstallmentsPerPlan + PaidPerPlan, 0);

    private TimeSpan Share(TimeSpan time) => time * Batch / agencies;

    private async Task<BenchmarkDatabase> PrepareAsync(Data size)
    {
        report($"Preparing {size.Rows.Described} …");
        var database = await server.CreateMigratedAsync($"round_{size.Rows.InstallmentsPerPlan}");
        await size.Rows.FillAsync(database, (await database.NowAsync()).InUtc().Date);
        await database.ExecuteAsync(Sql.Read(Statement.OriginalDefinition));
        await database.ArmAsync();
        await database.ExecuteAsync("VACUUM (ANALYZE)");
        return database;
    }

    private async Task<(Sample Sample, TimeSpan Statements)> MeasureOursAsync(
        BenchmarkDatabase database, PaymentData data, int lead)
    {
        // The date of the cutoff is served by each repetition anew.
        await database.ExecuteAsync("TRUNCATE agency_runs, agency_run_undos, jobs_log, events");
        var cutoff = await Marked.NextSecondAsync(database, lead);
        await database.SetCutoffAsync(cutoff);
        await database.WarmAsync();
        await using (await SiloUnderTest.StartAsync(database))
        {
            if (await database.NowAsync() >= cutoff) throw new CutoffCameTooSoonException();
            await Waiting.UntilAsync(
                "the cutoff was a second away", TimeSpan.FromSeconds(2 * lead),
                async () => (cutoff - await database.NowAsync()).TotalSeconds < 1);
            await StatementProfile.ResetAsync(database);
            var sample = await OurRun.AwaitAsync(database, cutoff, data);
            var statements = await StatementProfile.TimeOfSiloAsync(database);
            if (isProfiled) await StatementProfile.ReportAsync(database, report);
            return (sample, statements);
        }
    }
}
