using System.Diagnostics;
using System.Globalization;
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
    private const string Statement = "(a) one UPDATE … FROM payment_plans";
    private const string Work = "burst_work";

    /// <summary>Measures, checks that all did the same, and answers the section of the table.</summary>
    public async Task<string> RunAsync(CancellationToken cancellationToken)
    {
        report($"Preparing {size.Data.Described} …");
        var template = await server.CreateMigratedAsync("burst_template");
        await size.Data.FillAsync(template, (await template.NowAsync()).InUtc().Date);
        await template.ExecuteAsync(Sql.Read("original_update_installment_statuses.sql"));
        await template.ArmAsync();
        await template.ExecuteAsync("VACUUM (ANALYZE)");

        List<Contender> contenders =
        [
            new(Statement, size.Repetitions, () => MeasureStatementAsync(template, MarkAll)),
            new(Ours, size.Repetitions, () => MeasureOursAsync(template)),
            new("(d) the original's function", size.Repetitions, () => MeasureStatementAsync(template, Original)),
        ];
        if (size.SlowRepetitions > 0)
        {
            var quartz = await server.CloneAsync(template, "burst_quartz");
            await QuartzBurst.ScheduleAsync(quartz, report);
            var hangfire = await server.CloneAsync(template, "burst_hangfire");
            await HangfireBurst.ScheduleAsync(hangfire, report);
            contenders.Add(new(
                "(b) Quartz.NET, clustered, 16 threads", size.SlowRepetitions,
                async () => await QuartzBurst.MeasureAsync(await CopyAsync(quartz), size)));
            contenders.Add(new(
                "(c) Hangfire, 16 workers", size.SlowRepetitions,
                async () => await HangfireBurst.MeasureAsync(await CopyAsync(hangfire), size)));
        }

        var measured = await Turns.MeasureAsync(contenders, report, cancellationToken);
        Turns.RequireSameWork(measured, size.Data.ToMark);
        var section = await DescribeAsync(measured);
        return section;
    }

    private static readonly string[] Heads =
    [
        "", "median", "range", "repetitions", "to (a)", "to ours", "PostgreSQL's processor", "client's processor",
        "WAL",
    ];

    public const string MarkAll =
        """
        UPDATE installments i SET status = 'overdue' FROM payment_plans p
        WHERE i.payment_plan_id = p.id AND p.status = 'active' AND i.status = 'pending'
          AND i.student_due_date <= (clock_timestamp() AT TIME ZONE 'UTC')::date
        """;

    private const string Original = "SELECT count(*) FROM original.update_installment_statuses()";

    private async Task<BenchmarkDatabase> CopyAsync(BenchmarkDatabase template)
    {
        var copy = await server.CloneAsync(template, Work);
        await copy.WarmAsync();
        return copy;
    }

    private async Task<Sample> MeasureStatementAsync(BenchmarkDatabase template, string sql)
    {
        var database = await CopyAsync(template);
        await using var source = database.Open();
        await using var connection = await source.OpenConnectionAsync();
        await using var command = new Npgsql.NpgsqlCommand(sql, connection);
        var meter = await Meter.StartAsync(database);
        var started = Stopwatch.GetTimestamp();
        await command.ExecuteNonQueryAsync();
        var time = Stopwatch.GetElapsedTime(started);
        var cost = await meter.ReadAsync();
        return new Sample(time, await Marked.CountAsync(database), cost);
    }

    private async Task<Sample> MeasureOursAsync(BenchmarkDatabase template)
    {
        var database = await server.CloneAsync(template, Work);
        var cutoff = await Marked.NextSecondAsync(database, size.LeadSeconds);
        await database.SetCutoffAsync(cutoff);
        await database.WarmAsync();
        await using (await SiloUnderTest.StartAsync(database))
        {
            var sample = await OurRun.AwaitAsync(database, cutoff, size.Data);
            if (size.IsProfiled) await StatementProfile.ReportAsync(database, report);
            return sample;
        }
    }

    private async Task<string> DescribeAsync(IReadOnlyList<Measured> measured)
    {
        var (ours, statement) = (Find(Ours), Find(Statement));
        var rows = measured.OrderBy(contender => contender.Median).Select(contender => (string[])
        [
            contender.Name,
            Measured.Of(contender.Median),
            contender.Range,
            contender.Samples.Count.ToString(CultureInfo.InvariantCulture),
            Ratio(contender, statement),
            Ratio(contender, ours),
            Measured.Of(contender.Cost.DatabaseProcessor),
            Measured.Of(contender.Cost.OwnProcessor),
            FormattableString.Invariant($"{contender.Cost.WalBytes / 1e6:0} MB"),
        ]);
        return $"""
            {size.Data.Described}. From the cutoff's instant to the last commit; ours with `agency_runs`, the watermarks
            and the closed row of `jobs_log`, its reminders firing in a silo that has just been started. Each repetition
            is on a fresh copy of the same database.

            {Table.Of(Heads, rows)}
            {await Machine.DescribeAsync(server)}
            """;

        Measured Find(string name) => measured.Single(contender => contender.Name == name);

        static string Ratio(Measured one, Measured other) =>
            string.Create(CultureInfo.InvariantCulture, $"{one.Median / other.Median:0.00} ×");
    }
}
