namespace Actors.Api.Requests;

/// <summary>One page of a list.</summary>
/// <param name="Items">At most as many as were asked for, in the order of the list.</param>
/// <param name="Next">To be sent as `cursor` for the page after it; null on the last page.</param>
public sealed record Page<T>(IReadOnlyList<T> Items, string? Next);

/// <summary>Which part of a list is asked for: the rows after a key, up to a number.</summary>
/// <param name="Limit">How many rows the page holds at most.</param>
/// <param name="After">The keys of the row before the page; null for the first page.</param>
public sealed record PageRequest(int Limit, object?[]? After)
{
    public const int LargestLimit = 200;

    /// <summary>What is said of a cursor that was not made by this list.</summary>
    public const string ForeignCursor =
        "This is no cursor of this list in this order; leave it out for the first page.";

    private const int UsualLimit = 50;

    /// <summary>The parameters of every list, for <see cref="QueryChecking.Takes"/>.</summary>
    public static IReadOnlyList<QueryParameter> Parameters { get; } =
    [
        QueryParameter.Number("limit", "How many items the page holds at most.", 1, LargestLimit, UsualLimit),
        Cursor.Parameter,
    ];

    /// <summary>
    /// Reads both from a query. A cursor that is no cursor of this list is noted among the query's problems, and the
    /// caller answers <see cref="QueryValues.Refusal"/>.
    /// </summary>
    public static PageRequest Of(QueryValues query, string list, params QueryKind[] kinds)
    {
        ArgumentNullException.ThrowIfNull(query);
        object?[]? after = null;
        if (query.Text("cursor") is { } text && (after = Cursor.Read(text, list, kinds)) is null)
            query.Refuse("cursor", ForeignCursor);
        return new PageRequest(query.Number("limit") ?? UsualLimit, after);
    }

    /// <summary>One row more than the page holds, which tells whether there is another page.</summary>
    public int RowsToRead => Limit + 1;

    /// <summary>Makes the page of the rows that were read.</summary>
    /// <param name="rows">Up to <see cref="RowsToRead"/> of them, in order.</param>
    /// <param name="cursorOf">The cursor that stands for a row.</param>
    public Page<T> PageOf<T>(IReadOnlyList<T> rows, Func<T, string> cursorOf)
    {
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentNullException.ThrowIfNull(cursorOf);
        return rows.Count > Limit
            ? new Page<T>([.. rows.Take(Limit)], cursorOf(rows[Limit - 1]))
            : new Page<T>(rows, null);
    }
}
