using Npgsql;

namespace Actors.Tests.Integration.Access;

/// <summary>
/// Finds out what a caller may do with a table by trying it, in transactions that are rolled back. Each try is made
/// as the API makes it: with the caller's role and claims in the transaction.
/// </summary>
internal sealed class TableRights(NpgsqlDataSource owner)
{
    /// <summary>Every table of the database that a migration made, as schema.table.</summary>
    public Task<List<string>> TablesAsync() => ListAsync(
        """
        SELECT n.nspname || '.' || c.relname
        FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p') AND n.nspname IN ('public', 'actors', 'orleans')
        ORDER BY n.nspname = 'public' DESC, 1
        """);

    /// <summary>
    /// What the caller may do, in the words of ARCHITECTURE.md: such as `SELECT, UPDATE (status)`; `–` is nothing.
    /// </summary>
    public async Task<string> OfAsync(TableCaller caller, string table)
    {
        var columns = await ColumnsAsync(table, "true");
        // Nobody can write the others, and PostgreSQL says so before it looks at rights.
        var own = await ColumnsAsync(table, "attidentity <> 'a' AND attgenerated = ''");
        string?[] rights =
        [
            await SelectAsync(caller, table, columns),
            await WriteAsync(caller, own, "INSERT", column => $"INSERT INTO {table} ({column}) VALUES (NULL)"),
            await WriteAsync(caller, own, "UPDATE", column => $"UPDATE {table} SET {column} = NULL"),
            await IsDoneAsync(caller, $"DELETE FROM {table}") ? "DELETE" : null,
            .. await Task.WhenAll(((string[])["TRUNCATE", "REFERENCES", "TRIGGER"]).Select(async right =>
                await HasAsync(caller, table, right) ? right : null)),
        ];
        var said = string.Join(", ", rights.OfType<string>());
        return said.Length == 0 ? "–" : said;
    }

    private async Task<string?> SelectAsync(TableCaller caller, string table, List<string> columns)
    {
        var all = await CountAsync(new TableCaller(owner), $"SELECT count(*) FROM {table}");
        if (all < 2) throw new InvalidOperationException($"Give {table} two rows or more.");
        var readable = new List<string>();
        var rows = new HashSet<long>();
        foreach (var column in columns)
        {
            if (await CountAsync(caller, $"SELECT count({column} IS NULL) FROM {table}") is not { } seen) continue;
            readable.Add(column);
            rows.Add(seen);
        }

        return rows.SingleOrDefault() switch
        {
            0 => null,
            var seen when seen < all => Worded("SELECT", readable, columns) + " of own rows",
            _ => Worded("SELECT", readable, columns),
        };
    }

    /// <summary>
    /// Whether the caller has a right that is not tried: to empty a table is not bounded by policies, and the others
    /// are for making tables and functions.
    /// </summary>
    private static async Task<bool> HasAsync(TableCaller caller, string table, string right)
    {
        await using var connection = await caller.Login.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await BecomeAsync(connection, caller);
        // By its oid: a name is not found by those who may not use its schema.
        await using var command = new NpgsqlCommand(
            """
            SELECT has_table_privilege(c.oid, $2)
            FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
            WHERE n.nspname || '.' || c.relname = $1
            """, connection)
        {
            Parameters = { new() { Value = table }, new() { Value = right } },
        };
        return (bool)(await command.ExecuteScalarAsync())!;
    }

    private Task<List<string>> ColumnsAsync(string table, string condition) => ListAsync(
        $"""
        SELECT quote_ident(attname) FROM pg_attribute
        WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped AND {condition}
        ORDER BY attnum
        """);

    private static async Task<string?> WriteAsync(
        TableCaller caller, List<string> columns, string right, Func<string, string> statement)
    {
        var writable = new List<string>();
        foreach (var column in columns)
        {
            if (await IsDoneAsync(caller, statement(column))) writable.Add(column);
        }

        return writable.Count == 0 ? null : Worded(right, writable, columns);
    }

    private static string Worded(string right, List<string> some, List<string> all) =>
        some.Count == all.Count ? right : $"{right} ({string.Join(", ", some)})";

    /// <summary>
    /// Whether a statement reaches a row. One that breaks a constraint has passed rights and policies, which are looked
    /// at first.
    /// </summary>
    private static async Task<bool> IsDoneAsync(TableCaller caller, string statement)
    {
        await using var connection = await caller.Login.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await BecomeAsync(connection, caller);
        await using var command = new NpgsqlCommand(statement, connection);
        try
        {
            return await command.ExecuteNonQueryAsync() > 0;
        }
        catch (PostgresException refusal)
        {
            return refusal.SqlState != PostgresErrorCodes.InsufficientPrivilege;
        }
    }

    private static async Task<long?> CountAsync(TableCaller caller, string query)
    {
        await using var connection = await caller.Login.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await BecomeAsync(connection, caller);
        await using var command = new NpgsqlCommand(query, connection);
        try
        {
            return (long)(await command.ExecuteScalarAsync())!;
        }
        catch (PostgresException refusal) when (refusal.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            return null;
        }
    }

    private static async Task BecomeAsync(NpgsqlConnection connection, TableCaller caller)
    {
        if (caller.Role is null) return;
        await using var become = new NpgsqlCommand(
            "SELECT set_config('role', $1, true), set_config('request.jwt.claims', $2, true)", connection)
        {
            Parameters = { new() { Value = caller.Role }, new() { Value = caller.Claims } },
        };
        await become.ExecuteNonQueryAsync();
    }

    private async Task<List<string>> ListAsync(string query)
    {
        await using var command = owner.CreateCommand(query);
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<string>();
        while (await reader.ReadAsync()) rows.Add(reader.GetString(0));
        return rows;
    }
}

/// <summary>Whom PostgreSQL sees.</summary>
/// <param name="Login">Whose connections they are.</param>
/// <param name="Role">The role of the transaction; null: the login itself.</param>
/// <param name="Claims">`request.jwt.claims`.</param>
internal sealed record TableCaller(NpgsqlDataSource Login, string? Role = null, string Claims = "{}");
