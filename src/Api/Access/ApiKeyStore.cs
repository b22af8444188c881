using Npgsql;

namespace Actors.Api.Access;

/// <summary>The table `api_keys`, which holds no key, only hashes.</summary>
public sealed class ApiKeyStore(NpgsqlDataSource source)
{
    private const int NoteUseTimeoutSeconds = 2;

    /// <summary>Stores a new key under a name. False where a key that is not revoked has that name.</summary>
    /// <exception cref="NpgsqlException">The database does not answer, or refuses.</exception>
    public async Task<bool> AddAsync(ApiKeyName name, ApiKey key, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(key);
        await using var insert = source.CreateCommand(
            "INSERT INTO api_keys (name, key_hash) VALUES ($1, $2) ON CONFLICT DO NOTHING");
        insert.Parameters.Add(new() { Value = name.Value });
        insert.Parameters.Add(new() { Value = key.Hash() });
        return await insert.ExecuteNonQueryAsync(cancellationToken) == 1;
    }

    /// <summary>The row with this hash, live or not; null where there is none.</summary>
    internal async Task<StoredApiKey?> FindAsync(byte[] hash, CancellationToken cancellationToken)
    {
        await using var find = source.CreateCommand(
            """
            SELECT id, name, key_hash, scopes,
                   revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now()) AS is_live,
                   last_used_at IS NULL OR last_used_at < now() - interval '1 minute' AS use_is_to_be_noted
            FROM api_keys
            WHERE key_hash = $1
            """);
        find.Parameters.Add(new() { Value = hash });
        await using var row = await find.ExecuteReaderAsync(cancellationToken);
        return await row.ReadAsync(cancellationToken)
            ? new StoredApiKey(
                row.GetGuid(0), row.GetString(1), row.GetFieldValue<byte[]>(2), row.GetFieldValue<string[]>(3),
                row.GetBoolean(4), row.GetBoolean(5))
            : null;
    }

    /// <summary>
    /// Notes that a key was used, unless that was noted within the last minute. A row that somebody holds locked is
    /// left alone: no request waits for this.
    /// </summary>
    internal async Task NoteUseAsync(Guid id, CancellationToken cancellationToken)
    {
        await using var note = source.CreateCommand(
            """
            WITH stale AS (
              SELECT id
              FROM api_keys
              WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')
              FOR UPDATE SKIP LOCKED
            )
            UPDATE api_keys
            SET last_used_at = now()
            FROM stale
            WHERE api_keys.id = stale.id
            """);
        note.CommandTimeout = NoteUseTimeoutSeconds;
        note.Parameters.Add(new() { Value = id });
        await note.ExecuteNonQueryAsync(cancellationToken);
    }
}
