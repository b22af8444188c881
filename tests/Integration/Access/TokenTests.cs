using System.Net;
using System.Security.Cryptography;
using System.Text;
using Actors.Tests.Integration.Api;
using Xunit;

namespace Actors.Tests.Integration.Access;

/// <summary>Who is let in by a token, with the keys of an issuer on a real HTTP server.</summary>
public sealed class TokenTests(AccessWorld world) : IClassFixture<AccessWorld>
{
    /// <summary>Every way in which a token is not good, by what makes it so.</summary>
    private static readonly Dictionary<string, Func<AccessWorld, SomeToken, string>> Wrong = new()
    {
        ["another issuer"] = (w, t) => Rsa(w, t.With("iss", "https://auth.example.com/auth/v2")),
        ["no issuer"] = (w, t) => Rsa(w, t.With("iss", null)),
        ["another audience"] = (w, t) => Rsa(w, t.With("aud", "anon")),
        ["no audience"] = (w, t) => Rsa(w, t.With("aud", null)),
        ["expired"] = (w, t) => Rsa(w, t.Expiring(-60)),
        ["no expiry"] = (w, t) => Rsa(w, t.With("exp", null)),
        ["an expiry that is no number"] = (w, t) => Rsa(w, t.With("exp", "never")),
        ["not yet valid"] = (w, t) => Rsa(w, t.NotBefore(120)),
        ["alg none"] = (_, t) => t.Signed("none", Issuer.RsaId, _ => []),
        ["alg None with a signature"] = (w, t) => t.Signed("None", Issuer.RsaId, SignedBy(w.Issuer.Rsa)),
        ["no alg"] = (w, t) => t.Signed("", Issuer.RsaId, SignedBy(w.Issuer.Rsa)),
        ["another key under a known id"] = (_, t) => t.Signed(RSA.Create(2048), Issuer.RsaId),
        ["a key that is not published"] = (_, t) => t.Signed(RSA.Create(2048), "unknown"),
        ["a known key under an unknown id"] = (w, t) => t.Signed(w.Issuer.Rsa, "unknown"),
        ["HS256 with the public key in PEM"] = (w, t) => t.Signed(
            Encoding.ASCII.GetBytes(w.Issuer.Rsa.ExportSubjectPublicKeyInfoPem()), Issuer.RsaId),
        ["HS256 with the public key in DER"] = (w, t) => t.Signed(
            w.Issuer.Rsa.ExportSubjectPublicKeyInfo(), Issuer.RsaId),
        ["HS256 with the modulus"] = (w, t) => t.Signed(
            w.Issuer.Rsa.ExportParameters(false).Modulus!, Issuer.RsaId),
        ["RS512"] = (w, t) => t.Signed("RS512", Issuer.RsaId, bytes => w.Issuer.Rsa.SignData(
            bytes, HashAlgorithmName.SHA512, RSASignaturePadding.Pkcs1)),
        ["PS256"] = (w, t) => t.Signed("PS256", Issuer.RsaId, bytes => w.Issuer.Rsa.SignData(
            bytes, HashAlgorithmName.SHA256, RSASignaturePadding.Pss)),
        ["the key in its own header"] = (_, t) =>
        {
            var key = RSA.Create(2048);
            return t.WithHeader("jwk", Issuer.Published(key, "own")).Signed(key, "own");
        },
        ["cut short"] = (w, t) => Rsa(w, t)[..^5],
        ["no signature"] = (w, t) => Rsa(w, t)[..(Rsa(w, t).LastIndexOf('.') + 1)],
        ["a payload that was changed"] = (w, t) =>
        {
            var good = Rsa(w, t).Split('.');
            var other = Rsa(w, t.With("role", "service_role")).Split('.');
            return $"{good[0]}.{other[1]}.{good[2]}";
        },
        ["role anon"] = (w, t) => Rsa(w, t.With("role", "anon")),
        ["no role"] = (w, t) => Rsa(w, t.With("role", null)),
        ["a role of the database's own"] = (w, t) => Rsa(w, t.With("role", "actors_admin")),
        ["the role of the owner"] = (w, t) => Rsa(w, t.With("role", "postgres")),
        ["a role in other letters"] = (w, t) => Rsa(w, t.With("role", "Service_Role")),
        ["a list of roles"] = (w, t) => Rsa(w, t.With("role", new[] { "authenticated", "service_role" })),
        ["a subject that is no id"] = (w, t) => Rsa(w, t.With("sub", "admin")),
        ["a subject that is a number"] = (w, t) => Rsa(w, t.With("sub", 7)),
        ["no subject"] = (w, t) => Rsa(w, t.With("sub", null)),
    };

    public static TheoryData<string> WrongTokens => [.. Wrong.Keys];

    public static TheoryData<string> WrongHeaders =>
    [
        "", "Bearer", "Bearer ", "Bearer x", "Bearer a.b.c", "Bearer ....", "Basic YWRtaW46YWRtaW4=", "Token x",
        "Bearer " + "eyJ" + "0123456789",
    ];

    [Theory]
    [MemberData(nameof(WrongTokens))]
    public async Task A_token_that_is_not_good_is_answered_as_none_at_all(string wrong)
    {
        var token = Wrong[wrong](world, Good(world.Admin));
        using var read = await GetAsync($"Bearer {token}");
        using var run = await PostAsync(ApiHost.NoAgency, $"Bearer {token}");
        using var all = await PostAsync(ApiHost.AllAgencies, $"Bearer {token}");

        await AssertRefusedAsync(read);
        await AssertRefusedAsync(run);
        Assert.Equal(HttpStatusCode.Unauthorized, all.StatusCode);
        Assert.Equal("""{"error":"Unauthorized"}""", await all.Content.ReadAsStringAsync());
    }

    [Theory]
    [MemberData(nameof(WrongHeaders))]
    public async Task A_header_that_holds_no_token_is_answered_as_none_at_all(string header)
    {
        using var response = await GetAsync(header);

        await AssertRefusedAsync(response);
    }

    [Fact]
    public async Task Two_credentials_are_none_even_where_each_is_good()
    {
        var (key, token) = (world.Key("admin").Reveal(), $"Bearer {world.Issuer.TokenOf(world.Admin)}");
        foreach (var headers in new (string, string)[][]
        {
            [("X-API-Key", key), ("Authorization", token)],
            [("X-API-Key", key), ("Authorization", "")],
            [("Authorization", token), ("Authorization", token)],
            [("Authorization", $"{token}, {token}")],
        })
        {
            using var response = await world.SendAsync(HttpMethod.Get, AccessWorld.Who, null, headers);
            await AssertRefusedAsync(response);
        }
    }

    private static readonly Dictionary<string, Func<AccessWorld, SomeToken, string>> Right = new()
    {
        ["RS256"] = Rsa,
        ["ES256"] = (w, t) => t.Signed(w.Issuer.Elliptic, Issuer.EllipticId),
        ["no key id"] = (w, t) => t.Signed("RS256", null, SignedBy(w.Issuer.Rsa)),
        ["expired within the tolerance"] = (w, t) => Rsa(w, t.Expiring(-5)),
        ["from a clock that is ahead within the tolerance"] = (w, t) => Rsa(w, t.NotBefore(15)),
        ["an audience among others"] = (w, t) => Rsa(w, t.With("aud", new[] { "other", "authenticated" })),
        ["a subject in capitals"] = (w, t) => Rsa(w, t.With("sub", w.Admin.ToString().ToUpperInvariant())),
        ["claims that PostgreSQL cannot read"] = (w, t) => Rsa(w, t.With("user_metadata", new { name = "a\0b" })),
        ["4 KB of claims"] = (w, t) => Rsa(w, t.With("app_metadata", new string('x', 4_096))),
    };

    public static TheoryData<string> GoodTokens => [.. Right.Keys];

    [Theory]
    [MemberData(nameof(GoodTokens))]
    public async Task A_good_token_is_its_user_to_the_database(string right)
    {
        using var response = await GetAsync($"Bearer {Right[right](world, Good(world.Admin))}");

        var who = await response.Content.ReadAsStringAsync();
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal($"authenticated t {world.Admin}", who, ignoreCase: true);
    }

    [Fact]
    public async Task A_user_is_an_admin_by_user_roles_alone_whatever_the_token_says()
    {
        var claims = Good(world.Other).With("app_metadata", new { role = "admin", roles = new[] { "admin" } })
            .With("user_metadata", new { role = "admin" }).With("user_role", "admin").With("name", "admin");
        var token = $"Bearer {Rsa(world, claims)}";

        using var read = await GetAsync(token);
        using var run = await PostAsync(ApiHost.NoAgency, token);
        using var all = await PostAsync(ApiHost.AllAgencies, token);

        Assert.Equal($"authenticated f {world.Other}", await read.Content.ReadAsStringAsync());
        await ApiAssert.ProblemAsync(run, 403, "not-admin");
        Assert.Equal("""{"error":"Forbidden"}""", await all.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Whoever_stops_being_an_admin_is_none_from_the_next_request_on()
    {
        var user = Guid.NewGuid();
        var token = $"Bearer {world.Issuer.TokenOf(user)}";
        await ApiKeysTable.ExecuteAsync(
            world.Database, $"INSERT INTO user_roles (user_id, role) VALUES ('{user}', 'admin')");
        using var before = await PostAsync(ApiHost.NoAgency, token);
        await ApiKeysTable.ExecuteAsync(world.Database, $"DELETE FROM user_roles WHERE user_id = '{user}'");
        using var after = await PostAsync(ApiHost.NoAgency, token);

        await ApiAssert.ProblemAsync(before, 404, "agency-not-found");
        await ApiAssert.ProblemAsync(after, 403, "not-admin");
    }

    [Fact]
    public async Task The_platforms_own_service_is_an_admin()
    {
        var token = SomeToken.Of(Issuer.Name, default).With("sub", null).With("role", "service_role");
        var header = $"Bearer {Rsa(world, token)}";

        using var read = await GetAsync(header);
        using var run = await PostAsync(ApiHost.NoAgency, header);

        Assert.Equal("service_role t service_role", await read.Content.ReadAsStringAsync());
        await ApiAssert.ProblemAsync(run, 404, "agency-not-found");
    }

    [Fact]
    public async Task A_user_is_recorded_by_what_the_issuer_vouches_for()
    {
        var token = Good(world.Admin).With("email", "ada@example.com").With("name", "Somebody else");

        using var response = await GetAsync($"Bearer {Rsa(world, token)}");

        Assert.Equal("authenticated t ada@example.com", await response.Content.ReadAsStringAsync());
    }

    private static SomeToken Good(Guid user) => SomeToken.Of(Issuer.Name, user);

    private static string Rsa(AccessWorld world, SomeToken token) => token.Signed(world.Issuer.Rsa, Issuer.RsaId);

    private static Func<byte[], byte[]> SignedBy(RSA key) => bytes =>
        key.SignData(bytes, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);

    private static async Task AssertRefusedAsync(HttpResponseMessage response)
    {
        await ApiAssert.ProblemAsync(response, 401, "unauthorized");
        Assert.Equal(["ApiKey", "Bearer"], response.Headers.WwwAuthenticate.Select(challenge => challenge.ToString()));
    }

    private Task<HttpResponseMessage> GetAsync(string authorization) =>
        world.SendAsync(HttpMethod.Get, AccessWorld.Who, null, ("Authorization", authorization));

    private Task<HttpResponseMessage> PostAsync(string path, string authorization) =>
        world.SendAsync(HttpMethod.Post, path, null, ("Authorization", authorization));
}
