using System.Diagnostics;
using System.Globalization;
using Actors.Benchmarks.Databases;
using Actors.Benchmarks.Measuring;
using Microsoft.Extensions.Time.Testing;
using NodaTime;

namespace Actors.Benchmarks.Days;

/// <summary>How large, and how long.</summary>
/// <param name="Agencies">With one cutoff.</param>
/// <param name="Days">In a row.</param>
/// <param name="PauseSeconds">Between two bursts.</param>
internal sealed record DaysSize(int Agencies, int Days, int PauseSeconds);

/// <summary>
/// Days in a row in one database with autovacuum on. A clock of the benchmark's own stands in PostgreSQL's place and
/// under the reminders, so that a day passes in seconds; the reminders fire as on any day.
/// </summary>
internal sealed class DaysBenchmark(BenchmarkServer server, DaysSize size, Action<string> report)
{
    private const int PlansPerAgency = 10;
    private const int Periods = 10;

    private static readonly Instant FirstCutoff = Instant.FromUtc(2031, 1, 1, 17, 0);
    private static readonly Duration Moment = Duration.FromSeconds(1);

    /// <summary>Lets the days pass, and answers the section of the table.</summary>
    public async Task<string> RunAsync(CancellationToken cancellationToken)
    {
        report($"Preparing {size.Agencies:N0} agencies …");
        var database = await server.CreateMigratedAsync("days_work");
        await using var work = new DaysWork(database);
        await new PaymentData(size.Agencies, PlansPerAgency, 0, 0, 0).FillAsync(database, DateOf(0));
        await work.FillAsync(DateOf(0));
        await database.ArmAsync();
        await database.SetCutoffAsync(FirstCutoff);
        await database.ExecuteAsync("VACUUM (ANALYZE)");

        // A minute is a thousandth of a day, and here days are short.
        await using var _ = await server.SetAsync("autovacuum_naptime", "1s");
        var clock = new FakeTimeProvider(FirstCutoff.Minus(Duration.FromHours(1)).ToDateTimeOffset());
        await using var silo = await SiloUnderTest.StartAsync(database, clock: clock);
        var (days, sizes) = (new List<Day>(), new List<Sizes>());
        for (var day = 0; day < size.Days; day++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            days.Add(await PassAsync(database, work, clock, day));
            if ((day + 1) % Math.Max(1, size.Days / Periods) != 0) continue;
            sizes.Add(await Sizes.ReadAsync(database, day + 1));
            report($"Day {day + 1}: {Measured.Of(days[^1].Time)}, {days[^1].Marked} marked; {sizes[^1].Summary}");
        }

        return await DescribeAsync(days, sizes, await StatisticsAsync(database));
    }

    private static LocalDate DateOf(int day) => FirstCutoff.InUtc().Date.PlusDays(day);

    /// <summary>What the application does in a day, a pause, and the burst.</summary>
    private async Task<Day> PassAsync(BenchmarkDatabase database, DaysWork work, FakeTimeProvider clock, int day)
    {
        await work.LiveAsync(DateOf(day));
        var cutoff = FirstCutoff + Duration.FromDays(day);
        Advance(cutoff - Moment);
        await Task.Delay(TimeSpan.FromSeconds(size.PauseSeconds));
        var meter = await Meter.StartAsync(database);
        var started = Stopwatch.GetTimestamp();
        Advance(cutoff);
        await Waiting.UntilAsync(
            $"the run of day {day + 1} was closed", TimeSpan.FromMinutes(2), () => work.IsClosedAsync(cutoff));
        var time = Stopwatch.GetElapsedTime(started);
        var cost = await meter.ReadAsync();
        return new Day(time, await work.MarkedAsync(cutoff, size.Agencies), cost);

        void Advance(Instant until) => clock.SetUtcNow(until.ToDateTimeOffset());
    }

    private static async Task<string> StatisticsAsync(BenchmarkDatabase database) => await database.ReadAsync<string>(
        """
        SELECT string_agg(format('`%s`: %s %% of its updates in place (HOT), vacuumed %s times', relname,
          round(100.0 * n_tup_hot_upd / nullif(n_tup_upd, 0)), autovacuum_count), '; ' ORDER BY relname)
        FROM pg_stat_user_tables WHERE n_tup_upd > 100
        """);

    private async Task<string> DescribeAsync(
        IReadOnlyList<Day> days, IReadOnlyList<Sizes> sizes, string statistics)
    {
        var parts = days.Chunk(Math.Max(1, days.Count / Periods)).ToArray();
        string[] heads = ["days", "median", "slowest", "installments marked", "PostgreSQL's processor", "WAL"];
        var times = parts.Select((part, number) => (string[])
        [
            Text($"{number * parts[0].Length + 1} – {number * parts[0].Length + part.Length}"),
            Measured.Of(MedianOf(part)),
            Measured.Of(part.Max(day => day.Time)),
            Text($"{part.Average(day => day.Marked):N0}"),
            Measured.Of(part.Select(day => day.Cost.DatabaseProcessor).Order().ElementAt((part.Length - 1) / 2)),
            Text($"{part.Average(day => day.Cost.WalBytes) / 1e6:0.0} MB"),
        ]);
        return $"""
            {Text($"{size.Agencies:N0}")} agencies with one cutoff, {PlansPerAgency} plans each, {size.Days} days in a
            row in one database. Each day an installment of each plan falls due: half are paid before the cutoff, the
            burst marks the others, which are paid on the next day; and each plan gets a new one that is due in
            {DaysWork.Horizon} days. So as many are pending on each day, and the rest is history. The clock is the
            benchmark's, {size.PauseSeconds} s pass between two bursts, and autovacuum looks every second: there are
            fewer of its looks in such a day than in a real one. Reminders fire on one silo in the process that
            measures.

            Bar: the time is flat, and so are sizes: what does not grow by rows stays, the rest has the same bytes a
            row. The last {parts[^1].Length} days took {
                Text($"{MedianOf(parts[^1]) / MedianOf(parts[0]):0.00}")} × as long as the first.

            {Table.Of(heads, times)}
            {Sizes.TableOf(sizes)}
            {statistics}.

            {await Machine.DescribeAsync(server)}
            """;

        static TimeSpan MedianOf(Day[] part) => part.Select(day => day.Time).Order().ElementAt((part.Length - 1) / 2);
        static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>One burst.</summary>
    private sealed record Day(TimeSpan Time, long Marked, Cost Cost);
}
