using System.Net;
using System.Security.Cryptography;
using System.Text;
using Actors.Api.Access;
using Actors.Tests.Integration.Api;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Actors.Tests.Integration.Access;

/// <summary>Tokens that are signed with a shared secret, and what holds when there is no issuer to ask.</summary>
public sealed class SecretTokenTests
{
    private const string Secret = "a-secret-of-the-tests-that-has-40-bytes!";

    [Fact]
    public async Task A_token_signed_with_the_secret_is_let_in_and_one_with_another_is_not()
    {
        await using var host = await StartAsync(Secret);
        var admin = Guid.NewGuid();
        await ApiKeysTable.ExecuteAsync(
            host.Database, $"INSERT INTO user_roles (user_id, role) VALUES ('{admin}', 'admin')");

        using var good = await PostAsync(host, Token(admin).Signed(Encoding.UTF8.GetBytes(Secret)));
        using var withId = await PostAsync(host, Token(admin).Signed(Encoding.UTF8.GetBytes(Secret), "any-id"));
        using var other = await PostAsync(host, Token(admin).Signed(Encoding.UTF8.GetBytes(Secret + "x")));
        using var empty = await PostAsync(host, Token(admin).Signed([]));

        await ApiAssert.ProblemAsync(good, 404, "agency-not-found");
        await ApiAssert.ProblemAsync(withId, 404, "agency-not-found");
        await ApiAssert.ProblemAsync(other, 401, "unauthorized");
        await ApiAssert.ProblemAsync(empty, 401, "unauthorized");
    }

    [Fact]
    public async Task With_a_secret_no_other_algorithm_is_taken()
    {
        await using var host = await StartAsync(Secret);
        using var rsa = RSA.Create(2048);
        var user = Guid.NewGuid();
        foreach (var token in new[]
        {
            Token(user).Signed(rsa, "any"),
            Token(user).Signed("none", null, _ => []),
            Token(user).Signed("HS384", null, bytes => HMACSHA384.HashData(Encoding.UTF8.GetBytes(Secret), bytes)),
            Token(user).Signed("HS512", null, bytes => HMACSHA512.HashData(Encoding.UTF8.GetBytes(Secret), bytes)),
        })
        {
            using var response = await PostAsync(host, token);
            await ApiAssert.ProblemAsync(response, 401, "unauthorized");
        }
    }

    [Fact]
    public async Task Where_no_tokens_are_taken_a_token_is_no_credential_and_none_is_asked_for()
    {
        await using var host = await ApiHost.StartAsync(new AccessSettings { Limits = ApiHost.NoLimits });

        using var response = await PostAsync(host, Token(Guid.NewGuid()).Signed(Encoding.UTF8.GetBytes(Secret)));

        await ApiAssert.ProblemAsync(response, 401, "unauthorized");
        Assert.Equal("ApiKey", response.Headers.WwwAuthenticate.ToString());
    }

    [Fact]
    public async Task An_issuer_that_is_away_is_503_and_not_a_refusal_and_keys_are_let_in_meanwhile()
    {
        await using var issuer = new Issuer { IsDown = true };
        await issuer.InitializeAsync();
        var clock = new FakeTimeProvider();
        await using var host = await ApiHost.StartAsync(
            new AccessSettings
            {
                Tokens = JwtSettings.Parse(Issuer.Name, null, issuer.JwksUrl.ToString(), null, out _),
                Limits = ApiHost.NoLimits,
            },
            services => services.AddSingleton<TimeProvider>(clock));
        var user = Guid.NewGuid();

        using var one = await PostAsync(host, issuer.TokenOf(user));
        using var all = await host.PostAsync(
            ApiHost.AllAgencies, null, ("Authorization", $"Bearer {issuer.TokenOf(user)}"));
        using var byKey = await host.PostAsync(ApiHost.NoAgency, await ApiKeysTable.AddAsync(host.Database));
        issuer.IsDown = false;
        clock.Advance(SigningKeys.Floor);
        using var later = await PostAsync(host, issuer.TokenOf(user));

        await ApiAssert.ProblemAsync(one, 503, "keys-unavailable");
        Assert.Equal(HttpStatusCode.InternalServerError, all.StatusCode);
        await ApiAssert.ProblemAsync(byKey, 404, "agency-not-found");
        await ApiAssert.ProblemAsync(later, 403, "not-admin");
    }

    private static SomeToken Token(Guid user) => SomeToken.Of(Issuer.Name, user);

    private static Task<ApiHost> StartAsync(string secret) => ApiHost.StartAsync(new AccessSettings
    {
        Tokens = JwtSettings.Parse(Issuer.Name, null, null, secret, out _),
        Limits = ApiHost.NoLimits,
    });

    private static Task<HttpResponseMessage> PostAsync(ApiHost host, string token) =>
        host.PostAsync(ApiHost.NoAgency, null, ("Authorization", $"Bearer {token}"));
}
