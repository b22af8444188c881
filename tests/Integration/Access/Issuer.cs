using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Actors.Tests.Integration.Access;

/// <summary>
/// An issuer of tokens with its public keys on a real HTTP server, as an identity provider has them: an RSA key, an
/// elliptic one, and whatever a test publishes besides.
/// </summary>
public sealed class Issuer : IAsyncLifetime
{
    public const string Name = "https://auth.example.com/auth/v1";
    public const string RsaId = "rsa-1";
    public const string EllipticId = "elliptic-1";

    private WebApplication? app;
    private int fetches;

    internal RSA Rsa { get; } = RSA.Create(2048);

    internal ECDsa Elliptic { get; } = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    /// <summary>What is published, in the words of RFC 7517.</summary>
    public JsonArray Keys { get; } = [];

    /// <summary>While true, every request is answered 500.</summary>
    public bool IsDown { get; set; }

    /// <summary>What is answered in the keys' place; null: the keys.</summary>
    public string? Answer { get; set; }

    /// <summary>Ends every answer's waiting; null: nothing waits.</summary>
    public Task? Holds { get; set; }

    public int Fetches => fetches;

    public Uri JwksUrl => new(new Uri(app!.Urls.Single()), "/auth/v1/.well-known/jwks.json");

    public async ValueTask InitializeAsync()
    {
        Keys.Add(Published(Rsa, RsaId));
        Keys.Add(Published(Elliptic, EllipticId));
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        app = builder.Build();
        app.MapGet("/auth/v1/.well-known/jwks.json", async () =>
        {
            Interlocked.Increment(ref fetches);
            if (Holds is { } hold) await hold;
            return IsDown
                ? Results.StatusCode(500)
                : Results.Text(Answer ?? new JsonObject { ["keys"] = Keys.DeepClone() }.ToJsonString());
        });
        await app.StartAsync();
    }

    /// <summary>A good token, signed with the RSA key.</summary>
    public string TokenOf(Guid user) => SomeToken.Of(Name, user).Signed(Rsa, RsaId);

    internal static JsonObject Published(RSA key, string id)
    {
        var parts = key.ExportParameters(includePrivateParameters: false);
        return new JsonObject
        {
            ["kty"] = "RSA", ["kid"] = id, ["use"] = "sig", ["alg"] = "RS256",
            ["n"] = Base64Url.EncodeToString(parts.Modulus), ["e"] = Base64Url.EncodeToString(parts.Exponent),
        };
    }

    internal static JsonObject Published(ECDsa key, string id)
    {
        var parts = key.ExportParameters(includePrivateParameters: false);
        return new JsonObject
        {
            ["kty"] = "EC", ["crv"] = "P-256", ["kid"] = id, ["use"] = "sig", ["alg"] = "ES256",
            ["x"] = Base64Url.EncodeToString(parts.Q.X), ["y"] = Base64Url.EncodeToString(parts.Q.Y),
        };
    }

    public async ValueTask DisposeAsync()
    {
        Rsa.Dispose();
        Elliptic.Dispose();
        if (app is not null) await app.DisposeAsync();
    }
}
