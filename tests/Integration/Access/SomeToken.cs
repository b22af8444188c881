using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Actors.Tests.Integration.Access;

/// <summary>
/// A token that is put together by hand, so that any part of it can be wrong. Times are seconds from now.
/// </summary>
internal sealed class SomeToken
{
    private readonly Dictionary<string, object?> header = new() { ["typ"] = "JWT" };
    private readonly Dictionary<string, object?> payload = [];

    /// <summary>A good token of a user, as a Supabase issuer makes them; it still has no signature.</summary>
    /// <param name="issuer">`iss`.</param>
    /// <param name="user">`sub`.</param>
    public static SomeToken Of(string issuer, Guid user) => new SomeToken()
        .With("iss", issuer).With("aud", "authenticated").With("sub", user.ToString()).With("role", "authenticated")
        .Expiring(3_600).With("iat", At(0));

    /// <summary>Sets a claim; null takes it out.</summary>
    public SomeToken With(string claim, object? value)
    {
        if (value is null) payload.Remove(claim);
        else payload[claim] = value;
        return this;
    }

    public SomeToken Expiring(int seconds) => With("exp", At(seconds));

    public SomeToken NotBefore(int seconds) => With("nbf", At(seconds));

    public SomeToken WithHeader(string name, object? value)
    {
        if (value is null) header.Remove(name);
        else header[name] = value;
        return this;
    }

    public string Signed(RSA key, string id, string algorithm = "RS256") => Signed(
        algorithm, id, bytes => key.SignData(bytes, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));

    public string Signed(ECDsa key, string id) => Signed(
        "ES256", id, bytes => key.SignData(bytes, HashAlgorithmName.SHA256));

    public string Signed(byte[] secret, string? id = null) => Signed(
        "HS256", id, bytes => HMACSHA256.HashData(secret, bytes));

    /// <param name="algorithm">What the header says, true or not.</param>
    /// <param name="id">`kid`; null: none.</param>
    /// <param name="sign">Makes the signature.</param>
    public string Signed(string algorithm, string? id, Func<byte[], byte[]> sign)
    {
        WithHeader("alg", algorithm).WithHeader("kid", id);
        var content = $"{Encoded(header)}.{Encoded(payload)}";
        return $"{content}.{Base64Url.EncodeToString(sign(Encoding.ASCII.GetBytes(content)))}";
    }

    private static string Encoded(Dictionary<string, object?> part) =>
        Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(part));

    private static long At(int seconds) => TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() + seconds;
}
