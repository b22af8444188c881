using Npgsql;

namespace Actors.Api.Access;

/// <summary>
/// How the API itself looks at keys, before there is a caller whose role it could take. Its login may not read the
/// table; two functions of the database tell about one key, to whoever holds it.
/// </summary>
internal sealed class ApiKeyLookup(ApiDatabase database)
{
    private const int NoteUseTimeoutSeconds = 2;

    /// <summary>The row with this hash, live or not; null where there is none.</summary>
    /// <exception cref="NpgsqlException">The database does not answer.</exception>
    /// <exception cref="InvalidOperationException">The API's login may not ask.</exception>
    public async Task<StoredApiKey?> FindAsync(byte[] hash, CancellationToken cancellationToken)
    {
        await using var find = database.Source.CreateCommand(
            "SELECT id, name, key_hash, scopes, is_live, use_is_to_be_noted FROM actors.find_api_key($1)");
        find.Parameters.Add(new() { Value = hash });
        try
        {
            await using var row = await find.ExecuteReaderAsync(cancellationToken);
            return await row.ReadAsync(cancellationToken)
                ? new StoredApiKey(
                    row.GetGuid(0), row.GetString(1), row.GetFieldValue<byte[]>(2),
                    ApiKeyScopes.Of(row.GetFieldValue<string[]>(3)), row.GetBoolean(4), row.GetBoolean(5))
                : null;
        }
        catch (PostgresException refusal) when (refusal.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            throw new InvalidOperationException("The API's login may not look for API keys; use actors_api.", refusal);
        }
    }

    /// <summary>
    /// Notes that a key was used, unless that was noted within the last minute. A row that somebody holds locked is
    /// left alone: no request waits for this.
    /// </summary>
    public async Task NoteUseAsync(Guid id, CancellationToken cancellationToken)
    {
        await using var note = database.Source.CreateCommand("SELECT actors.note_api_key_use($1)");
        note.CommandTimeout = NoteUseTimeoutSeconds;
        note.Parameters.Add(new() { Value = id });
        await note.ExecuteNonQueryAsync(cancellationToken);
    }
}
