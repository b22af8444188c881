using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Actors.Api.Access;

/// <summary>
/// An API key in the clear: `actors_` and 256 random bits in base64url. It is shown once, to whoever made it, and
/// carried by requests; only its SHA-256 is stored. A plain hash is enough, since there is nothing to guess at in
/// 256 random bits.
/// </summary>
public sealed class ApiKey
{
    /// <summary>By which people and scanners for leaked secrets recognise a key.</summary>
    public const string Prefix = "actors_";

    private const int RandomBytes = 32;
    // Base64Url.IsValid would also take white space and padding, which no key of ours has.
    private static readonly SearchValues<char> Alphabet =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    private static readonly int Length = Prefix.Length + Base64Url.GetEncodedLength(RandomBytes);

    private readonly string text;

    private ApiKey(string text) => this.text = text;

    public static ApiKey Create() =>
        new(Prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(RandomBytes)));

    /// <summary>The key that a text is, or null where no key looks like it; long texts cost nothing.</summary>
    public static ApiKey? Parse(string? text) =>
        text?.Length == Length
        && text.StartsWith(Prefix, StringComparison.Ordinal)
        && !text.AsSpan(Prefix.Length).ContainsAnyExcept(Alphabet)
            ? new(text)
            : null;

    /// <summary>32 bytes: `api_keys.key_hash`.</summary>
    public byte[] Hash() => SHA256.HashData(Encoding.ASCII.GetBytes(text));

    /// <summary>The key itself, for the one moment in which it is handed over.</summary>
    public string Reveal() => text;

    /// <summary>Not the key: what is logged or interpolated by mistake tells nothing.</summary>
    public override string ToString() => Prefix + "…";
}
