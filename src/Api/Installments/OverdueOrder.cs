using System.Globalization;
using Actors.Api.Requests;
using NpgsqlTypes;

namespace Actors.Api.Installments;

/// <summary>An order of what is overdue, by a key and then by id, both in the same direction.</summary>
/// <param name="Word">As the API spells it.</param>
/// <param name="Key">The key in SQL.</param>
/// <param name="Type">What the key is there.</param>
/// <param name="Kind">What the key is in a cursor.</param>
/// <param name="IsBackwards">Whether it is the reverse order.</param>
internal sealed record OverdueOrder(string Word, string Key, NpgsqlDbType Type, QueryKind Kind, bool IsBackwards)
{
    private static readonly OverdueOrder[] Forwards =
    [
        new("dueDate", "i.student_due_date", NpgsqlDbType.Date, QueryKind.Date, false),
        // A cursor knows whole numbers only.
        new("amount", $"coalesce({InstallmentSql.Amount}, 0)", NpgsqlDbType.Numeric, QueryKind.Text, false),
    ];

    private static readonly OverdueOrder[] All =
    [
        .. Forwards, .. Forwards.Select(order => order with { Word = "-" + order.Word, IsBackwards = true }),
    ];

    public static IEnumerable<string> Words => All.Select(order => order.Word);

    public static OverdueOrder Named(string word) => All.Single(order => order.Word == word);

    /// <summary>The key of an installment, as a cursor keeps it.</summary>
    public object? KeyOf(InstallmentItem item) => Type == NpgsqlDbType.Date ? item.DueDate : item.Amount ?? 0;

    /// <summary>The key of a cursor as a parameter; null where it is none.</summary>
    public object? Parameter(object? key) => (Type, key) switch
    {
        (NpgsqlDbType.Numeric, string text) => decimal.TryParse(
            text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture,
            out var amount)
                ? amount
                : null,
        _ => key,
    };
}
