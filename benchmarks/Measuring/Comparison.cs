using System.Globalization;

namespace Actors.Benchmarks.Measuring;

/// <summary>The table of contenders that did the same work, the fastest first.</summary>
internal static class Comparison
{
    private static readonly string[] Heads =
    [
        "", "median", "range", "repetitions", "to (a)", "to ours", "PostgreSQL's processor", "client's processor",
        "WAL",
    ];

    /// <param name="measured">All of them.</param>
    /// <param name="statement">Which of them is (a), the one statement.</param>
    /// <param name="ours">Which of them is ours.</param>
    public static string Of(IReadOnlyList<Measured> measured, string statement, string ours)
    {
        var rows = measured.OrderBy(contender => contender.Median).Select(contender => (string[])
        [
            contender.Name,
            Measured.Of(contender.Median),
            contender.Range,
            contender.Samples.Count.ToString(CultureInfo.InvariantCulture),
            RatioTo(statement, contender),
            RatioTo(ours, contender),
            Measured.Of(contender.Cost.DatabaseProcessor),
            Measured.Of(contender.Cost.OwnProcessor),
            FormattableString.Invariant($"{contender.Cost.WalBytes / 1e6:0} MB"),
        ]);
        return Table.Of(Heads, rows);

        string RatioTo(string name, Measured contender)
        {
            var other = measured.Single(one => one.Name == name);
            return string.Create(CultureInfo.InvariantCulture, $"{contender.Median / other.Median:0.00} ×");
        }
    }
}
