using Npgsql;

namespace Actors.Api;

/// <summary>
/// The database as the API itself reads it: API keys, and later the facts that it shows. The host makes the source
/// and disposes of it. Its login is `actors_api`, or one that may likewise act as every caller's role.
/// </summary>
public sealed record ApiDatabase(NpgsqlDataSource Source);
