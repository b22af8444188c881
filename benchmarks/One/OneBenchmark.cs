using System.Globalization;
using Actors.Benchmarks.Databases;
using Actors.Benchmarks.Measuring;
using NodaTime;

namespace Actors.Benchmarks.One;

/// <summary>How large, and how fast.</summary>
/// <param name="Data">Agencies, plans, installments; one cutoff to an agency.</param>
/// <param name="ApartMilliseconds">From one cutoff to the next.</param>
/// <param name="LeadSeconds">From the start of the silo to the first cutoff.</param>
/// <param name="IsProfiled">Whether to report what PostgreSQL spent on each of our statements.</param>
internal sealed record OneSize(PaymentData Data, int ApartMilliseconds, int LeadSeconds, bool IsProfiled = false);

/// <summary>
/// One agency at a time: from its cutoff to the commit. Ours and the statement take turns, each on its own copy of the
/// data: a cutoff of ours, half a pause, one of the statement's, half a pause.
/// </summary>
internal sealed class OneBenchmark(BenchmarkServer server, OneSize size, Action<string> report)
{
    private const string OurCommits =
        """
        SELECT array_agg(extract(epoch FROM pg_xact_commit_timestamp(xmin) - cutoff_at)::double precision)
        FROM agency_runs WHERE cutoff_at >= @first AND serves_cutoff AND status = 'success'
        """;

    private static readonly string[] Heads = ["from the cutoff to …", "p50", "p90", "p99", "max", "cutoffs"];

    /// <summary>Measures, checks that both did the same, and answers the section.</summary>
    public async Task<string> RunAsync(CancellationToken cancellationToken)
    {
        report($"Preparing {size.Data.Described} …");
        var template = await server.CreateMigratedAsync("one_template");
        await size.Data.FillAsync(template, (await template.NowAsync()).InUtc().Date);
        await template.ArmAsync();
        await template.ExecuteAsync("VACUUM (ANALYZE)");
        return await Lead.LongEnoughAsync(size.LeadSeconds, lead => MeasureAsync(template, lead, cancellationToken));
    }

    private async Task<string> MeasureAsync(
        BenchmarkDatabase template, int leadSeconds, CancellationToken cancellationToken)
    {
        var ours = await server.CloneAsync(template, "one_ours");
        var beside = await server.CloneAsync(template, "one_statement");

        var apart = Duration.FromMilliseconds(size.ApartMilliseconds);
        var cutoffs = CutoffsInTurn.From(
            await Marked.NextSecondAsync(ours, leadSeconds), apart, size.Data.Agencies);
        var besideCutoffs = cutoffs with { First = cutoffs.First + apart / 2 };
        await cutoffs.SetAsync(ours);
        await besideCutoffs.SetAsync(beside);
        await ours.WarmAsync();
        await beside.WarmAsync();

        await using var silo = ActorsProcess.StartSilo(ours);
        await using var client = await WaitingClient.OpenAsync(beside);
        var (ready, _) = await silo.ReadyAsync();
        if (ready >= cutoffs.First) throw new CutoffCameTooSoonException();

        report($"Cutoffs until {cutoffs.Last:uuuu-MM-dd HH:mm:ss} UTC …");
        var seen = await client.MarkAllAsync(besideCutoffs, cancellationToken);
        await ours.UntilAsync(
            "every agency was served", every: TimeSpan.FromSeconds(1),
            "SELECT NOT EXISTS (SELECT FROM agency_cutoffs WHERE next_cutoff_at <= @last)", ("last", cutoffs.Last));
        var late = await RequireWholeAsync(ours, beside, cutoffs);
        if (size.IsProfiled) await StatementProfile.ReportAsync(ours, report);

        var ourTimes = Times(await ours.ReadAsync<double[]>(OurCommits, ("first", cutoffs.First)));
        var theirTimes = Times(await client.CommitsAsync(besideCutoffs));
        return $"""
            {size.Data.Described}: one cutoff to an agency, {size.ApartMilliseconds} ms apart, its reminder firing in a
            silo in a process of its own that has nothing else to do; each served in a transaction with ledger row and
            watermark, under a row of `jobs_log` of its own. The bar: p50 under 20 ms, p99 under 100 ms. Beside it a
            client that waits for instants half way between and then sends the same agency's UPDATE, prepared, on a
            connection that is open, and writes nothing else. A commit's time is PostgreSQL's own
            (`pg_xact_commit_timestamp`), taken before the commit is flushed; the last line shows what flush and answer
            add. Later than 1 s, since their reminders did not come: {late}.

            {Table.Of(Heads, [
                Row("the commit of ours", ourTimes),
                Row("the commit of the UPDATE", theirTimes),
                Row("the UPDATE's answer, at its client", new("", [.. seen.Select(Sampled)])),
            ])}
            To the UPDATE, ours takes {Ratio(50)} at the median and {Ratio(99)} at p99.

            {await Machine.DescribeAsync(server)}
            """;

        string Ratio(double percent) => string.Create(
            CultureInfo.InvariantCulture, $"{ourTimes.Percentile(percent) / theirTimes.Percentile(percent):0.0} ×");
    }

    private static string[] Row(string name, Measured times) =>
    [
        name,
        .. new[] { 50.0, 90, 99, 100 }.Select(percent => Measured.Of(times.Percentile(percent))),
        times.Samples.Count.ToString("N0", CultureInfo.InvariantCulture),
    ];

    private static Measured Times(double[] seconds) =>
        new("", [.. seconds.Select(second => Sampled(TimeSpan.FromSeconds(second)))]);

    private static Sample Sampled(TimeSpan time) => new(time, 0, Cost.None);

    /// <summary>
    /// Each cutoff was served once and not early, and all that was due was marked; answers how many were 1 s late.
    /// </summary>
    private async Task<long> RequireWholeAsync(
        BenchmarkDatabase ours, BenchmarkDatabase beside, CutoffsInTurn cutoffs)
    {
        var wrong = await ours.ReadAsync<string>(
            """
            SELECT concat_ws('; ',
              CASE WHEN count(*) <> @agencies OR count(DISTINCT agency_id) <> @agencies
                THEN count(*) || ' rows in agency_runs' END,
              CASE WHEN count(*) FILTER (WHERE r.cutoff_at <> t.at) > 0 THEN 'cutoffs at other instants' END,
              CASE WHEN count(*) FILTER (WHERE r.started_at < r.cutoff_at) > 0 THEN 'some were early' END,
              CASE WHEN sum(records_updated) <> @marked THEN sum(records_updated) || ' in the ledger' END)
            FROM agency_runs r JOIN cutoffs_in_turn t USING (agency_id)
            WHERE r.cutoff_at >= @first AND r.serves_cutoff AND r.status = 'success'
            """,
            ("first", cutoffs.First), ("agencies", (long)cutoffs.Count), ("marked", (long)size.Data.ToMark));
        if (wrong.Length > 0) throw new InvalidOperationException($"The cutoffs were not served as promised: {wrong}.");
        foreach (var database in new[] { ours, beside })
        {
            var marked = await Marked.CountAsync(database);
            if (marked != size.Data.ToMark)
                throw new InvalidOperationException($"{database.Name} has {marked} marked, not {size.Data.ToMark}.");
        }

        return await ours.ReadAsync<long>(
            "SELECT count(*) FROM agency_runs WHERE cutoff_at >= @first AND completed_at > cutoff_at + interval '1 s'",
            ("first", cutoffs.First));
    }
}
