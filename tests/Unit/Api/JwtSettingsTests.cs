using Actors.Api.Access;
using Xunit;

namespace Actors.Tests.Unit.Api;

public sealed class JwtSettingsTests
{
    private const string Issuer = "https://auth.example.com/auth/v1";
    private const string Jwks = "https://auth.example.com/auth/v1/.well-known/jwks.json";
    private const string Secret = "0123456789abcdef0123456789abcdef";

    [Theory]
    [InlineData(Jwks)]
    [InlineData("http://127.0.0.1:54321/auth/v1/.well-known/jwks.json")]
    [InlineData("http://localhost:54321/jwks")]
    [InlineData("http://[::1]/jwks")]
    public void Public_keys_are_taken_from_a_safe_address(string address)
    {
        var settings = JwtSettings.Parse(Issuer, null, address, null, out var advice);

        Assert.Null(advice);
        Assert.Equal((Issuer, "authenticated"), (settings!.Issuer, settings.Audience));
        Assert.Equal(new Uri(address), settings.JwksUrl);
        Assert.Equal(["RS256", "ES256"], settings.ToParameters().ValidAlgorithms);
    }

    [Fact]
    public void A_secret_is_good_for_HS256_alone()
    {
        var settings = JwtSettings.Parse(Issuer, "other", null, Secret, out _);

        Assert.Equal("other", settings!.Audience);
        Assert.Equal(["HS256"], settings.ToParameters().ValidAlgorithms);
    }

    [Theory]
    [InlineData(null, Jwks, null, "the issuer is missing")]
    [InlineData(null, null, Secret, "the issuer is missing")]
    [InlineData(Issuer, null, null, "the keys are missing")]
    [InlineData(Issuer, Jwks, Secret, "give one of the two")]
    [InlineData(Issuer, "auth.example.com/jwks", null, "expected is an https address")]
    [InlineData(Issuer, "http://auth.example.com/jwks", null, "expected is an https address")]
    [InlineData(Issuer, "http://localhost.example.com/jwks", null, "expected is an https address")]
    [InlineData(Issuer, "file:///etc/passwd", null, "expected is an https address")]
    [InlineData(Issuer, null, "0123456789abcdef0123456789abcde", "has 31 bytes; HS256 needs at least 32")]
    public void What_cannot_be_used_is_named(string? issuer, string? jwks, string? secret, string said)
    {
        var settings = JwtSettings.Parse(issuer, null, jwks, secret, out var advice);

        Assert.Null(settings);
        Assert.Contains(said, advice, StringComparison.Ordinal);
        if (secret is not null) Assert.DoesNotContain(secret, advice, StringComparison.Ordinal);
    }

    [Fact]
    public void A_secret_that_is_logged_by_mistake_tells_nothing() =>
        Assert.DoesNotContain(
            Secret, $"{JwtSettings.Parse(Issuer, null, null, Secret, out _)}", StringComparison.Ordinal);
}
