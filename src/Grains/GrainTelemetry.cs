using System.Diagnostics;
using System.Diagnostics.Metrics;
using Actors.Grains.Installments;

namespace Actors.Grains;

/// <summary>
/// What the grains of this process tell about themselves while they work: the traces and the measures named "Actors".
/// Nobody has to listen; what nobody listens to costs next to nothing. Names and units are a contract with whoever
/// has drawn a dashboard from them.
/// </summary>
public static class GrainTelemetry
{
    /// <summary>The name of both the source of traces and the meter.</summary>
    public const string Name = "Actors";

    /// <summary>A batch names at most so many of the requests that it serves.</summary>
    private const int LinksAtMost = 32;

    private static readonly ActivitySource Source = new(Name);
    private static readonly Meter Meter = new(Name);

    private static readonly Histogram<double> Lateness = Meter.CreateHistogram(
        "actors.cutoff.lateness", "s",
        "From a cutoff, or the change of settings after it, to the transaction that served it.",
        advice: new InstrumentAdvice<double>
        {
            HistogramBucketBoundaries = [0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 60, 300, 3_600, 86_400],
        });

    private static readonly Counter<long> Marked = Meter.CreateCounter<long>(
        "actors.installments.marked", "{installment}", "Installments that became overdue.");

    private static readonly Histogram<int> BatchSize = Meter.CreateHistogram(
        "actors.marker.batch.size", "{agency}", "Agencies in one transaction of the marker.",
        advice: new InstrumentAdvice<int> { HistogramBucketBoundaries = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512] });

    private static readonly Histogram<double> BatchDuration = Meter.CreateHistogram(
        "actors.marker.batch.duration", "s", "From the beginning of one transaction of the marker to its commit.",
        advice: new InstrumentAdvice<double>
        {
            HistogramBucketBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 45],
        });

    private static readonly UpDownCounter<int> Backlog = Meter.CreateUpDownCounter<int>(
        "actors.marker.backlog", "{agency}", "Requests that wait for the marker, or are in its hands.");

    private static readonly Counter<long> Failures = Meter.CreateCounter<long>(
        "actors.agency.failures", "{attempt}", "Attempts to bring an agency up to date that were given up as failed.");

    // This silo's last sweep; null while it has none to tell of.
    private static volatile Sweep? lastSweep;

    static GrainTelemetry()
    {
        Meter.CreateObservableGauge(
            "actors.sweep.age", SweepAge, "s", "Since the last sweep; only the silo that sweeps tells it.");
        Meter.CreateObservableGauge(
            "actors.agencies.late", AgenciesLate, "{agency}",
            "Agencies that the last sweep found late; only the silo that sweeps tells it.");
    }

    /// <summary>
    /// Opens the trace of a batch. It belongs to the request that came first, and names the others.
    /// </summary>
    internal static Activity? StartBatch(IReadOnlyList<MarkingWork> batch)
    {
        if (!Source.HasListeners()) return null;
        var parent = batch.Count == 0 ? default : batch[0].RequestedIn;
        var links = batch.Skip(1).Where(work => work.RequestedIn != default)
            .Take(LinksAtMost)
            .Select(work => new ActivityLink(work.RequestedIn));
        var activity = Source.StartActivity("mark installments", ActivityKind.Internal, parent, links: links);
        return activity?.SetTag("actors.agencies", batch.Count);
    }

    /// <summary>Goes on with the trace of a batch, where the coordinator hears of the run it was for.</summary>
    internal static Activity? StartNudge(ActivityContext batch) =>
        batch == default ? null : Source.StartActivity("nudge the coordinator", ActivityKind.Internal, batch);

    internal static void Waiting(int requests) => Backlog.Add(requests);

    /// <summary>Counts a batch that is committed.</summary>
    internal static void Committed(MarkingBatch marking, WrittenBatch written, int agencies, TimeSpan took)
    {
        BatchSize.Record(agencies);
        BatchDuration.Record(took.TotalSeconds);
        foreach (var row in marking.Rows)
        {
            if (!written.Counts.TryGetValue((row.Agency.Agency, row.Run.Cutoff.Date), out var count)) continue;
            var trigger = new KeyValuePair<string, object?>("trigger", Jobs.RunWords.Of(row.Trigger));
            if (count > 0) Marked.Add(count, trigger);
            if (row.LateBy(marking.Now) is { } late) Lateness.Record(late.TotalSeconds, trigger);
        }
    }

    internal static void Failed() => Failures.Add(1);

    /// <param name="agenciesLate">Null where that could not be told: as many as before.</param>
    internal static void Swept(long? agenciesLate) =>
        lastSweep = new Sweep(Stopwatch.GetTimestamp(), agenciesLate ?? lastSweep?.AgenciesLate ?? 0);

    /// <summary>Another silo sweeps from now on, or none.</summary>
    internal static void SweepsNoMore() => lastSweep = null;

    private static IEnumerable<Measurement<double>> SweepAge() =>
        lastSweep is { } sweep ? [new Measurement<double>(Stopwatch.GetElapsedTime(sweep.At).TotalSeconds)] : [];

    private static IEnumerable<Measurement<long>> AgenciesLate() =>
        lastSweep is { } sweep ? [new Measurement<long>(sweep.AgenciesLate)] : [];

    /// <param name="At">When it ended, by the monotonic clock.</param>
    /// <param name="AgenciesLate">How many it found late.</param>
    private sealed record Sweep(long At, long AgenciesLate);
}
