using System.Globalization;

namespace Actors.Benchmarks.Measuring;

/// <summary>One way to do the same work.</summary>
/// <param name="Name">As the table calls it.</param>
/// <param name="Repetitions">How often it is measured.</param>
/// <param name="MeasureAsync">Prepares the work, does it once, and answers the figures of it.</param>
internal sealed record Contender(string Name, int Repetitions, Func<Task<Sample>> MeasureAsync);

/// <summary>What one repetition gave.</summary>
/// <param name="Time">What was measured.</param>
/// <param name="Rows">How many rows it worked on: equal among contenders, or they are not to be compared.</param>
/// <param name="Cost">What it cost meanwhile.</param>
internal sealed record Sample(TimeSpan Time, long Rows, Cost Cost);

/// <summary>All repetitions of one contender.</summary>
internal sealed record Measured(string Name, IReadOnlyList<Sample> Samples)
{
    /// <summary>Half of the repetitions took no longer.</summary>
    public TimeSpan Median => Percentile(50);

    /// <summary>Of each cost, the one that half of the repetitions did not exceed.</summary>
    public Cost Cost => new(
        Middle(sample => sample.Cost.DatabaseProcessor),
        Middle(sample => sample.Cost.OwnProcessor),
        Middle(sample => sample.Cost.WalBytes));

    /// <summary>The rows of each repetition.</summary>
    /// <exception cref="InvalidOperationException">They differ.</exception>
    public long Rows => Samples.Select(sample => sample.Rows).Distinct().ToArray() is [var rows]
        ? rows
        : throw new InvalidOperationException(
            $"{Name} did not do the same work each time: {string.Join(", ", Samples.Select(sample => sample.Rows))}.");

    /// <summary>The time that this share of the repetitions did not exceed; between two samples, the mean.</summary>
    public TimeSpan Percentile(double percent)
    {
        var times = Samples.Select(sample => sample.Time).Order().ToArray();
        var place = percent / 100 * (times.Length - 1);
        var (lower, upper) = (times[(int)Math.Floor(place)], times[(int)Math.Ceiling(place)]);
        return lower + (upper - lower) * (place - Math.Floor(place));
    }

    /// <summary>The fastest and the slowest.</summary>
    public string Range => $"{Of(Percentile(0))} – {Of(Percentile(100))}";

    /// <summary>The one that half of them do not exceed.</summary>
    public static T Middle<T>(IReadOnlyCollection<T> figures) => figures.Order().ElementAt((figures.Count - 1) / 2);

    private T Middle<T>(Func<Sample, T> figure) => Middle([.. Samples.Select(figure)]);

    /// <summary>A time as the tables write it.</summary>
    public static string Of(TimeSpan time) => time.TotalSeconds >= 1
        ? string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.00} s")
        : string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:0.0} ms");
}

/// <summary>Measures contenders in turn (A B C A B C), so that a slow minute of the machine falls on all.</summary>
internal static class Turns
{
    public static async Task<IReadOnlyList<Measured>> MeasureAsync(
        IReadOnlyList<Contender> contenders, Action<string> report, CancellationToken cancellationToken)
    {
        var samples = contenders.ToDictionary(contender => contender, _ => new List<Sample>());
        for (var turn = 0; turn < contenders.Max(contender => contender.Repetitions); turn++)
        {
            foreach (var contender in contenders.Where(contender => turn < contender.Repetitions))
            {
                cancellationToken.ThrowIfCancellationRequested();
                var sample = await contender.MeasureAsync();
                samples[contender].Add(sample);
                report($"{turn + 1}. {contender.Name}: {Measured.Of(sample.Time)}, "
                    + $"PostgreSQL's processor {Measured.Of(sample.Cost.DatabaseProcessor)}");
            }
        }

        return [.. samples.Where(pair => pair.Value.Count > 0)
            .Select(pair => new Measured(pair.Key.Name, pair.Value))];
    }

    /// <exception cref="InvalidOperationException">They did not all work on this many rows.</exception>
    public static void RequireSameWork(IReadOnlyList<Measured> measured, long rows)
    {
        foreach (var contender in measured)
        {
            if (contender.Rows != rows)
            {
                throw new InvalidOperationException(
                    $"{contender.Name} worked on {contender.Rows} rows; expected are {rows}.");
            }
        }
    }
}
