using System.Globalization;

namespace Actors.Silo.Import;

/// <summary>What one import did. Every row of the file is inserted, unchanged or repeated.</summary>
/// <param name="Kind">What the file held.</param>
/// <param name="Inserted">Rows that were not there before.</param>
/// <param name="Unchanged">Rows that were there already with the same content, status of installments apart.</param>
/// <param name="StatusKept">Those of the unchanged whose status has moved on since; it was kept.</param>
/// <param name="Repeated">Lines that say word for word what an earlier line of the file says.</param>
/// <param name="ZonesAdded">Zones that `supported_timezones` did not have, in alphabetical order.</param>
public sealed record ImportResult(
    ImportKind Kind, long Inserted, long Unchanged, long StatusKept, long Repeated, IReadOnlyList<string> ZonesAdded)
{
    /// <summary>One line for the result, and one more for each thing worth a word.</summary>
    public IEnumerable<string> Describe()
    {
        var noun = Kind.ToString().ToLowerInvariant();
        yield return Inserted + Unchanged + Repeated == 0
            ? $"{noun}: 0 rows; the file has a header and nothing else."
            : $"{noun}: {Count(Inserted)} inserted, {Count(Unchanged)} unchanged.";
        if (StatusKept > 0) yield return $"{Count(StatusKept)} have another status by now, which was kept.";
        if (Repeated > 0) yield return $"{Count(Repeated)} lines repeat an earlier line, and were counted once.";
        if (ZonesAdded.Count > 0) yield return $"Added to supported_timezones: {string.Join(", ", ZonesAdded)}.";
    }

    private static string Count(long number) => number.ToString("N0", CultureInfo.InvariantCulture);
}
