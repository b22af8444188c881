using NodaTime;
using Npgsql;

namespace Actors.Api.Access;

/// <summary>
/// The table `api_keys`, which holds no key, only hashes, for whoever manages keys: its owner, or a member of
/// service_role. Keys of one name are made one after the other, so that of two commands at once the second sees what
/// the first did.
/// </summary>
public sealed class ApiKeyStore(NpgsqlDataSource source)
{
    private const string IsLive = "revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())";

    private const string Columns =
        "id, name, scopes, created_at, expires_at, revoked_at, last_used_at, " + IsLive + " AS is_live";

    /// <summary>The database's clock, by which keys expire.</summary>
    public async Task<Instant> NowAsync(CancellationToken cancellationToken)
    {
        await using var ask = source.CreateCommand("SELECT now()");
        return InstantOf((DateTime)(await ask.ExecuteScalarAsync(cancellationToken))!);
    }

    /// <summary>Stores a new key under a name. False where a live key has that name.</summary>
    /// <param name="name">Who uses it.</param>
    /// <param name="key">Of which only the hash is stored.</param>
    /// <param name="scopes">What it may do.</param>
    /// <param name="expiresAt">From when on it is refused; null: never.</param>
    /// <param name="cancellationToken">Ends the statement; then nothing is stored.</param>
    /// <exception cref="NpgsqlException">The database does not answer, or refuses.</exception>
    public async Task<bool> AddAsync(
        ApiKeyName name, ApiKey key, ApiKeyScopes scopes, Instant? expiresAt, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(name);
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await LockAsync(connection, name.Value, cancellationToken);
        if ((await LiveAsync(connection, name.Value, cancellationToken)).Count > 0) return false;
        await InsertAsync(connection, name.Value, key, scopes, expiresAt, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    /// <summary>
    /// Stores a successor of the live keys of a name, with the name and the scopes of the newest of them.
    /// </summary>
    /// <param name="name">Of the keys to follow.</param>
    /// <param name="key">Of which only the hash is stored.</param>
    /// <param name="expiresAt">From when on the new key is refused; null: never.</param>
    /// <param name="oldOnesUntil">When the earlier ones expire, unless they do before; null: they go on.</param>
    /// <param name="cancellationToken">Ends the statement; then nothing is changed.</param>
    /// <returns>The earlier keys as they are now, newest first; empty: no key of the name is live, nothing was
    /// stored.</returns>
    public async Task<IReadOnlyList<ApiKeyRow>> RotateAsync(
        string name, ApiKey key, Instant? expiresAt, Instant? oldOnesUntil, CancellationToken cancellationToken)
    {
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await LockAsync(connection, name, cancellationToken);
        if (oldOnesUntil is { } end)
        {
            await using var limit = new NpgsqlCommand(
                $"""
                UPDATE api_keys SET expires_at = $2
                WHERE name = $1 AND {IsLive} AND (expires_at IS NULL OR expires_at > $2)
                """,
                connection)
            {
                Parameters = { new() { Value = name }, new() { Value = end.ToDateTimeUtc() } },
            };
            await limit.ExecuteNonQueryAsync(cancellationToken);
        }

        var old = await LiveAsync(connection, name, cancellationToken);
        if (old.Count == 0) return [];
        await InsertAsync(connection, name, key, ApiKeyScopes.Of(old[0].Scopes), expiresAt, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return old;
    }

    /// <summary>Every key that there is or was, by name, those of one name from the oldest on.</summary>
    public async Task<IReadOnlyList<ApiKeyRow>> ListAsync(CancellationToken cancellationToken)
    {
        await using var list = source.CreateCommand($"SELECT {Columns} FROM api_keys ORDER BY name, created_at, id");
        return await ReadAsync(list, cancellationToken);
    }

    /// <summary>Refuses a key from now on. Revoking it again changes nothing.</summary>
    /// <returns>The key as it is now; null where no key has the id.</returns>
    public async Task<ApiKeyRow?> RevokeAsync(Guid id, CancellationToken cancellationToken)
    {
        await using var revoke = source.CreateCommand(
            $"UPDATE api_keys SET revoked_at = coalesce(revoked_at, now()) WHERE id = $1 RETURNING {Columns}");
        revoke.Parameters.Add(new() { Value = id });
        return (await ReadAsync(revoke, cancellationToken)).SingleOrDefault();
    }

    private static async Task LockAsync(NpgsqlConnection connection, string name, CancellationToken cancellationToken)
    {
        await using var wait = new NpgsqlCommand(
            "SELECT pg_advisory_xact_lock(hashtextextended('actors.api_keys ' || $1, 0))", connection)
        {
            Parameters = { new() { Value = name } },
        };
        await wait.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task<List<ApiKeyRow>> LiveAsync(
        NpgsqlConnection connection, string name, CancellationToken cancellationToken)
    {
        await using var find = new NpgsqlCommand(
            $"SELECT {Columns} FROM api_keys WHERE name = $1 AND {IsLive} ORDER BY created_at DESC, id", connection)
        {
            Parameters = { new() { Value = name } },
        };
        return await ReadAsync(find, cancellationToken);
    }

    private static async Task InsertAsync(
        NpgsqlConnection connection, string name, ApiKey key, ApiKeyScopes scopes, Instant? expiresAt,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(scopes);
        await using var insert = new NpgsqlCommand(
            "INSERT INTO api_keys (name, key_hash, scopes, expires_at) VALUES ($1, $2, $3, $4)", connection)
        {
            Parameters =
            {
                new() { Value = name },
                new() { Value = key.Hash() },
                new() { Value = scopes.Words.ToArray() },
                new NpgsqlParameter<DateTime?> { TypedValue = expiresAt?.ToDateTimeUtc() },
            },
        };
        await insert.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task<List<ApiKeyRow>> ReadAsync(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new List<ApiKeyRow>();
        while (await row.ReadAsync(cancellationToken))
        {
            rows.Add(new ApiKeyRow(
                row.GetGuid(0), row.GetString(1), row.GetFieldValue<string[]>(2), InstantOf(row.GetDateTime(3)),
                InstantAt(4), InstantAt(5), InstantAt(6), row.GetBoolean(7)));
        }

        return rows;

        Instant? InstantAt(int column) => row.IsDBNull(column) ? null : InstantOf(row.GetDateTime(column));
    }

    private static Instant InstantOf(DateTime utc) => Instant.FromDateTimeUtc(utc);
}

/// <summary>A key as people see it.</summary>
/// <param name="Id">`api_keys.id`.</param>
/// <param name="Name">Who uses it.</param>
/// <param name="Scopes">As they are stored.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="ExpiresAt">From when on it is refused; null: it does not expire.</param>
/// <param name="RevokedAt">Since when it is refused; null: it is not revoked.</param>
/// <param name="LastUsedAt">Its last use, to the minute; null: never.</param>
/// <param name="IsLive">Neither revoked nor expired, by the database's clock.</param>
public sealed record ApiKeyRow(
    Guid Id, string Name, IReadOnlyList<string> Scopes, Instant CreatedAt, Instant? ExpiresAt, Instant? RevokedAt,
    Instant? LastUsedAt, bool IsLive)
{
    /// <summary>The beginning of the id, by which people name a key whose name others have too.</summary>
    public string ShortId => Id.ToString()[..8];

    /// <summary>`live`, `expired` or `revoked`.</summary>
    public string State => RevokedAt is not null ? "revoked" : IsLive ? "live" : "expired";
}
