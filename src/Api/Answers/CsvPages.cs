using System.Runtime.CompilerServices;

namespace Actors.Api.Answers;

/// <summary>
/// All rows of a list for its file, read page after page, each page in a transaction of its own. So whoever takes the
/// file slowly holds no transaction and no connection meanwhile, and no statement runs longer than a page needs. A row
/// that moves in the order while the file is written may be in it twice, or not at all.
/// </summary>
internal static class CsvPages
{
    private const int RowsAPage = 2_000;

    /// <summary>
    /// The rows in their order, at most <see cref="Csv.MostRows"/>.
    /// </summary>
    /// <param name="readAsync">Reads up to so many rows after these keys; null for the first page.</param>
    /// <param name="keysOf">The keys of a row, after which the next page begins.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public static async IAsyncEnumerable<T> AllAsync<T>(
        Func<object?[]?, int, CancellationToken, Task<IReadOnlyList<T>>> readAsync, Func<T, object?[]> keysOf,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        object?[]? after = null;
        for (var left = Csv.MostRows; left > 0;)
        {
            var rows = await readAsync(after, Math.Min(RowsAPage, left), cancellationToken);
            foreach (var row in rows) yield return row;
            if (rows.Count < RowsAPage) yield break;
            left -= rows.Count;
            after = keysOf(rows[^1]);
        }
    }
}
