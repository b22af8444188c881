using System.Buffers;
using System.Text;
using Npgsql;

namespace Actors.Silo.Import;

/// <summary>The rows of one file in a temporary table of the open transaction, beside the table they go to.</summary>
internal sealed class Staging(NpgsqlConnection connection, ImportTable table, CancellationToken cancellationToken)
{
    private const int ChunkLength = 64 * 1024;
    private static readonly SearchValues<char> Escaped = SearchValues.Create("\\\t\n\r");

    public async Task CreateAsync()
    {
        await ExecuteAsync(ImportSql.Begin);
        await ExecuteAsync(ImportSql.CreateStaging(table));
    }

    /// <summary>Stages every good record of the file, and adds what is wrong in the others to its errors.</summary>
    public async Task CopyAsync(CsvFile file)
    {
        // Disposing the writer ends the COPY, also one that is cut off in the middle: the caller then gives up the
        // transaction, and with it the temporary table.
        await using (var writer = await connection.BeginTextImportAsync(
            ImportSql.CopyIntoStaging(table), cancellationToken))
        {
            var chunk = new StringBuilder(ChunkLength + 1024);
            var cells = new string?[table.Columns.Count];
            while (await file.ReadAsync(cells))
            {
                Append(chunk, file.Line, cells);
                if (chunk.Length < ChunkLength) continue;
                cancellationToken.ThrowIfCancellationRequested();
                await writer.WriteAsync(chunk, cancellationToken);
                chunk.Clear();
            }

            await writer.WriteAsync(chunk, cancellationToken);
        }

        await ExecuteAsync(ImportSql.AnalyzeStaging);
    }

    /// <summary>Adds to the errors what only the file as a whole, or the database, can tell.</summary>
    public async Task CheckAsync(ImportErrors errors)
    {
        await ExecuteAsync(ImportSql.FindRepeated);
        await CheckContentAsync(ImportSql.FindRepeatedWithOtherContent(table), errors);
        await CheckContentAsync(ImportSql.FindThereWithOtherContent(table), errors);
        if (table.Parent is { } parent) await CheckParentsAsync(parent, errors);
    }

    /// <returns>How many lines repeat an earlier one; they are no longer staged.</returns>
    public Task<long> DropRepeatedAsync() => ExecuteAsync(ImportSql.DropRepeated);

    /// <returns>How many rows are there already, and with another status; none is staged any more.</returns>
    public async Task<(long There, long StatusKept)> DropThereAsync()
    {
        var kept = ImportSql.CountKept(table) is { } count ? await ScalarAsync<long>(count) : 0;
        return (await ExecuteAsync(ImportSql.DropThere(table)), kept);
    }

    /// <returns>The zones of staged agencies that were not supported so far, and are now.</returns>
    public Task<string[]> AddZonesAsync() => ScalarAsync<string[]>(ImportSql.AddZones);

    /// <summary>Inserts what is still staged, and drops the temporary table.</summary>
    /// <returns>How many rows were inserted.</returns>
    public async Task<long> InsertAsync()
    {
        var inserted = await ExecuteAsync(ImportSql.InsertRemaining(table));
        await ExecuteAsync(ImportSql.DropStaging);
        return inserted;
    }

    /// <summary>
    /// Has PostgreSQL look at what is new: plans made for the small table of before can be very slow on a large one,
    /// and autovacuum would come only after a minute.
    /// </summary>
    public Task AnalyzeAsync() => ExecuteAsync($"ANALYZE {table.Name}");

    private static void Append(StringBuilder chunk, int line, string?[] cells)
    {
        chunk.Append(line);
        foreach (var cell in cells)
        {
            chunk.Append('\t');
            if (cell is null) chunk.Append("\\N");
            else if (cell.AsSpan().IndexOfAny(Escaped) < 0) chunk.Append(cell);
            else AppendEscaped(chunk, cell);
        }

        chunk.Append('\n');
    }

    private static void AppendEscaped(StringBuilder chunk, string cell)
    {
        foreach (var character in cell)
        {
            chunk.Append(character switch
            {
                '\\' => "\\\\",
                '\t' => "\\t",
                '\n' => "\\n",
                '\r' => "\\r",
                _ => null,
            });
            if (!Escaped.Contains(character)) chunk.Append(character);
        }
    }

    private async Task CheckContentAsync(string sql, ImportErrors errors)
    {
        var found = new List<(int, string)>();
        var count = 0L;
        await using var command = Command(sql);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            int? earlierLine = await reader.IsDBNullAsync(2, cancellationToken) ? null : reader.GetInt32(2);
            found.Add((reader.GetInt32(0), Conflict(
                reader.GetString(1),
                earlierLine,
                reader.GetFieldValue<string?[]>(3),
                reader.GetFieldValue<string?[]>(4))));
            count = reader.GetInt64(5);
        }

        errors.AddFound(found, count);
    }

    private async Task CheckParentsAsync(ImportParent parent, ImportErrors errors)
    {
        var found = new List<(int, string)>();
        var count = 0L;
        await using var command = Command(ImportSql.FindUnknownParents(parent));
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            found.Add((reader.GetInt32(0), $"{parent.Column} '{reader.GetString(1)}' is unknown: there is no such "
                + $"{parent.Noun} in the database; import the {parent.Plural} first."));
            count = reader.GetInt64(2);
        }

        errors.AddFound(found, count);
    }

    private string Conflict(string id, int? earlierLine, string?[] there, string?[] given)
    {
        var differences = table.Columns
            .Select((column, index) => (column, there: there[index], given: given[index]))
            .Where(pair => pair.there != pair.given)
            .Select(pair =>
                $"{pair.column.Name} {Shown(pair.column, pair.there)}, not {Shown(pair.column, pair.given)}");
        var place = earlierLine is { } line ? $"in line {line}" : "there";
        return $"{table.Noun} {id} is already {place} with {string.Join(", and ", differences)}.";
    }

    private static string Shown(ImportColumn column, string? value) =>
        value is null ? "empty" : column.StagedType == "text" ? ImportErrors.Quote(value) : value;

    private async Task<long> ExecuteAsync(string sql)
    {
        await using var command = Command(sql);
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task<T> ScalarAsync<T>(string sql)
    {
        await using var command = Command(sql);
        return (T)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>A large file takes what it takes; a person at the terminal can cancel it.</summary>
    private NpgsqlCommand Command(string sql) => new(sql, connection) { CommandTimeout = 0 };
}
