using Actors.Api.Access;
using Actors.Api.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Npgsql;

namespace Actors.Api.Answers;

/// <summary>
/// A list as its address answers it: a page of it, or every row of the filter as a file. Both come from one statement,
/// which starts behind the keys of a row and reads so many rows.
/// </summary>
/// <param name="Name">Of the list and of its order, by which a cursor of another is known.</param>
/// <param name="FileName">What the file is called where it is saved.</param>
/// <param name="SqlAfter">The statement that starts behind these keys, or with the first row.</param>
/// <param name="Read">Makes an item of a row.</param>
/// <param name="KeysOf">What an item is ordered by.</param>
/// <param name="Columns">Of the file.</param>
internal sealed record RowList<T>(
    string Name,
    string FileName,
    Func<object?[]?, ListSql> SqlAfter,
    Func<NpgsqlDataReader, T> Read,
    Func<T, object?[]> KeysOf,
    IReadOnlyList<CsvColumn<T>> Columns)
{
    /// <summary>Answers a request whose query has been checked.</summary>
    /// <param name="context">The request.</param>
    /// <param name="page">Which page is asked for; a file has every row.</param>
    /// <param name="session">The caller's, in which the list was found to be there.</param>
    /// <param name="database">Where the file's rows are read, a transaction of the caller for each part of it.</param>
    /// <param name="caller">Who asks.</param>
    public async Task<Results<Ok<Page<T>>, CsvAnswer<T>, ProblemHttpResult>> AnswerAsync(
        HttpContext context, PageRequest page, CallerSession session, CallerDatabase database, Caller caller)
    {
        var query = context.QueryOf();
        var cancellationToken = context.RequestAborted;
        if (!Csv.IsAskedFor(context.Request, query))
        {
            var rows = await ReadAsync(session, page.After, page.RowsToRead, cancellationToken);
            return TypedResults.Ok(page.PageOf(rows, item => Cursor.Write(Name, KeysOf(item))));
        }

        if (page.After is not null)
        {
            query.Refuse(Cursor.Parameter.Name, "A file has every row of the filter; leave the cursor out.");
            return query.Refusal()!;
        }

        if (await CountAsync(session, cancellationToken) > Csv.MostRows) return Csv.TooManyRows();
        return new CsvAnswer<T>(FileName, Columns, CsvPages.AllAsync(
            async (after, rows, ending) =>
            {
                await using var part = await database.BeginAsync(caller, CallerAccess.Read, ending);
                return await ReadAsync(part, after, rows, ending);
            },
            KeysOf));
    }

    private Task<IReadOnlyList<T>> ReadAsync(
        CallerSession session, object?[]? after, int rows, CancellationToken cancellationToken)
    {
        var sql = SqlAfter(after);
        return session.ReadAsync(sql.Text, Read, cancellationToken, sql.Parameters(rows));
    }

    /// <summary>How many rows there are, counted up to one more than a file may have.</summary>
    private async Task<long> CountAsync(CallerSession session, CancellationToken cancellationToken)
    {
        var sql = SqlAfter(null);
        var counts = await session.ReadAsync(
            $"SELECT count(*) FROM ({sql.Text}) AS found",
            reader => reader.GetInt64(0),
            cancellationToken,
            sql.Parameters(Csv.MostRows + 1));
        return counts[0];
    }
}
