using System.Net;
using System.Text;
using Microsoft.IdentityModel.Tokens;

namespace Actors.Api.Access;

/// <summary>
/// Whose tokens are taken, and how they are checked: by the public keys that the issuer publishes (RS256 or ES256), or
/// by a secret that it shares with us (HS256). Which of the two is said here and never by the token, so that a public
/// key cannot be used as a secret.
/// </summary>
public sealed class JwtSettings
{
    /// <summary>What the `aud` of a Supabase user's token says.</summary>
    public const string UsualAudience = "authenticated";

    /// <summary>The least that HS256 takes, in bytes of UTF-8.</summary>
    public const int MinSecretBytes = 32;

    private readonly byte[]? secret;

    private JwtSettings(string issuer, string audience, Uri? jwksUrl, byte[]? secret) =>
        (Issuer, Audience, JwksUrl, this.secret) = (issuer, audience, jwksUrl, secret);

    /// <summary>What `iss` must say, to the letter.</summary>
    public string Issuer { get; }

    /// <summary>What `aud` must say, or hold where it is a list.</summary>
    public string Audience { get; }

    /// <summary>Where the issuer's public keys are; null where there is a secret.</summary>
    public Uri? JwksUrl { get; }

    /// <summary>Takes what an operator wrote, or says in one sentence what is wrong with it.</summary>
    /// <param name="issuer">Required.</param>
    /// <param name="audience">Null: <see cref="UsualAudience"/>.</param>
    /// <param name="jwksUrl">Https, or http on this machine; this or the secret.</param>
    /// <param name="secret">At least <see cref="MinSecretBytes"/> bytes; this or the address. Never repeated.</param>
    /// <param name="advice">What is wrong, as the end of a sentence that begins with the settings' names.</param>
    public static JwtSettings? Parse(
        string? issuer, string? audience, string? jwksUrl, string? secret, out string? advice)
    {
        Uri? address = null;
        advice = (issuer, jwksUrl, secret) switch
        {
            (null, _, _) => "the issuer is missing: give what the claim iss of the tokens says, such as "
                + "https://auth.example.com/auth/v1",
            (_, null, null) => "the keys are missing: give the address of the issuer's public keys or, for HS256, the "
                + "secret",
            (_, not null, not null) => "there are both an address of public keys and a secret: give one of the two",
            (_, not null, _) when !Uri.TryCreate(jwksUrl, UriKind.Absolute, out address) || !IsSafe(address) =>
                $"the address of the keys is '{jwksUrl}'; expected is an https address (http only on this machine)",
            (_, _, not null) when Encoding.UTF8.GetByteCount(secret) < MinSecretBytes =>
                $"the secret has {Encoding.UTF8.GetByteCount(secret)} bytes; HS256 needs at least {MinSecretBytes}",
            _ => null,
        };
        return advice is null
            ? new JwtSettings(
                issuer!, audience ?? UsualAudience, address, secret is null ? null : Encoding.UTF8.GetBytes(secret))
            : null;
    }

    /// <summary>Not the secret: what is logged by mistake tells nothing.</summary>
    public override string ToString() => $"tokens of {Issuer} for {Audience}";

    /// <summary>What a token must hold to; public keys are added by whoever has them.</summary>
    internal TokenValidationParameters ToParameters() => new()
    {
        ValidIssuer = Issuer,
        ValidAudience = Audience,
        ValidAlgorithms = secret is null
            ? [SecurityAlgorithms.RsaSha256, SecurityAlgorithms.EcdsaSha256]
            : [SecurityAlgorithms.HmacSha256],
        IssuerSigningKey = secret is null ? null : new SymmetricSecurityKey(secret),
        RequireSignedTokens = true,
        RequireExpirationTime = true,
        ValidateLifetime = true,
        ValidateIssuerSigningKey = true,
        ClockSkew = TimeSpan.FromSeconds(30),
    };

    // Whoever can put their own keys in the answer's place is let in as anybody.
    private static bool IsSafe(Uri address) => address.Scheme == Uri.UriSchemeHttps
        || (address.Scheme == Uri.UriSchemeHttp
            && (address.Host == "localhost" || (IPAddress.TryParse(address.Host.Trim('[', ']'), out var ip)
                && IPAddress.IsLoopback(ip))));
}
