using System.Security.Cryptography;
using System.Text.Json;

namespace Actors.Api.Access;

/// <summary>A row of `api_keys`, as found by the hash of a key that somebody sent.</summary>
/// <param name="Id">`api_keys.id`.</param>
/// <param name="Name">Under which its runs are recorded.</param>
/// <param name="Hash">SHA-256 of the key, 32 bytes.</param>
/// <param name="Scopes">What the key may do.</param>
/// <param name="IsLive">Neither revoked nor expired, by the database's clock.</param>
/// <param name="UseIsToBeNoted">Its last use is unknown, or noted more than a minute ago.</param>
internal sealed record StoredApiKey(
    Guid Id, string Name, byte[] Hash, ApiKeyScopes Scopes, bool IsLive, bool UseIsToBeNoted)
{
    /// <summary>
    /// Whether a key with this hash is let in. The row was found by an index, whose time may depend on what is stored;
    /// the comparison that decides takes the same time whatever differs.
    /// </summary>
    public bool Admits(ReadOnlySpan<byte> hash) => CryptographicOperations.FixedTimeEquals(Hash, hash) && IsLive;

    /// <summary>The caller that this key's requests are made by.</summary>
    public Caller ToCaller() => new(
        Id.ToString(),
        Name,
        Scopes.Role,
        JsonSerializer.Serialize(new Dictionary<string, string>
        {
            ["role"] = Scopes.Role.DatabaseRole(),
            ["name"] = Name,
            ["key_id"] = Id.ToString(),
        }));
}
