using System.Globalization;
using System.Text.RegularExpressions;

namespace Actors.Silo.Migrations;

/// <summary>
/// Names one migration: <c>004/001</c> is the first of domain 004. The order of ids is that of a new database.
/// </summary>
/// <param name="Domain">1 to 999; 0 only in <see cref="None"/>.</param>
/// <param name="Number">1 to 999, counted within the domain.</param>
public readonly partial record struct MigrationId(int Domain, int Number) : IComparable<MigrationId>
{
    /// <summary>Before the first migration: <c>--to 0</c>.</summary>
    public static readonly MigrationId None;

    public int CompareTo(MigrationId other) => (Domain, Number).CompareTo((other.Domain, other.Number));

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Domain:000}/{Number:000}");

    public static bool operator <(MigrationId left, MigrationId right) => left.CompareTo(right) < 0;

    public static bool operator >(MigrationId left, MigrationId right) => left.CompareTo(right) > 0;

    public static bool operator <=(MigrationId left, MigrationId right) => left.CompareTo(right) <= 0;

    public static bool operator >=(MigrationId left, MigrationId right) => left.CompareTo(right) >= 0;

    /// <summary>Reads <c>004/001</c>; null for anything else.</summary>
    public static MigrationId? TryParse(string text) => Whole().Match(text) is { Success: true } match
        ? new MigrationId(NumberIn(match.Groups[1]), NumberIn(match.Groups[2]))
        : null;

    private static int NumberIn(Group digits) => int.Parse(digits.ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex("^([0-9]{3})/([0-9]{3})$")]
    private static partial Regex Whole();
}
