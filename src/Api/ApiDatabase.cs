using Npgsql;

namespace Actors.Api;

/// <summary>
/// The database as the API itself reads it: API keys, and later the facts that it shows. The host makes the source
/// and disposes of it. Its login needs SELECT on `api_keys` and UPDATE on `api_keys.last_used_at`.
/// </summary>
public sealed record ApiDatabase(NpgsqlDataSource Source);
