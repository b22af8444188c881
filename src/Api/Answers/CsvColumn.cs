using System.Globalization;
using NodaTime;
using NodaTime.Text;

namespace Actors.Api.Answers;

/// <summary>One column of a list as CSV.</summary>
/// <param name="Name">In camelCase; the first line of the file has it.</param>
/// <param name="Value">What an item has there: text, a number, a bool, an id, an instant, a date, or null.</param>
public sealed record CsvColumn<T>(string Name, Func<T, object?> Value)
{
    /// <summary>An item's value as it stands in the file, before any quoting: the same in every culture.</summary>
    internal string? TextOf(T item) => Value(item) switch
    {
        null => null,
        string text => text,
        bool flag => flag ? "true" : "false",
        Instant instant => InstantPattern.ExtendedIso.Format(instant),
        LocalDate date => LocalDatePattern.Iso.Format(date),
        LocalDateTime local => LocalDateTimePattern.ExtendedIso.Format(local),
        LocalTime time => LocalTimePattern.ExtendedIso.Format(time),
        Duration duration => duration.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture),
        IFormattable value => value.ToString(null, CultureInfo.InvariantCulture),
        var other => throw new InvalidOperationException($"The column {Name} holds a {other.GetType().Name}."),
    };
}
