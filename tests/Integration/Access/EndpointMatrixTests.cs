using System.Net;
using System.Text;
using Actors.Api;
using Actors.Api.Access;
using Actors.Tests.Integration.Api;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Xunit;

namespace Actors.Tests.Integration.Access;

/// <summary>Every endpoint with every credential gives the status that is written down.</summary>
public sealed class EndpointMatrixTests(AccessWorld world) : IClassFixture<AccessWorld>
{
    private static readonly Door[] Nobody = [Door.Open];
    private static readonly Door[] Somebody = [Door.Open, Door.Known];
    private static readonly Door[] Everything = Enum.GetValues<Door>();

    /// <summary>Every kind of credential, and the doors that it opens; others are 403 where it is known.</summary>
    private static readonly Credential[] Credentials =
    [
        new("none", _ => [], Nobody, IsKnown: false),
        new("a wrong key", _ => Key(ApiKey.Create()), Nobody, IsKnown: false),
        new("no key at all", _ => [("X-API-Key", "secret")], Nobody, IsKnown: false),
        new("a revoked key", w => Key(w.Key("revoked")), Nobody, IsKnown: false),
        new("an expired key", w => Key(w.Key("expired")), Nobody, IsKnown: false),
        new("a key without a scope", w => Key(w.Key("no scope")), Somebody),
        new("a key with an unknown scope", w => Key(w.Key("an unknown scope")), Somebody),
        new("a key with trigger", w => Key(w.Key("trigger")), [.. Somebody, Door.Trigger]),
        new("a key with read", w => Key(w.Key("read")), [.. Somebody, Door.Read]),
        new("a key with both", w => Key(w.Key("read and trigger")), [.. Somebody, Door.Read, Door.Trigger]),
        new("a key with admin", w => Key(w.Key("admin")), Everything),
        new("the token of an admin", w => Bearer(w.Issuer.TokenOf(w.Admin)), Everything),
        new("the token of another user", w => Bearer(w.Issuer.TokenOf(w.Other)), [.. Somebody, Door.Read])
        {
            IsShownNothing = true,
        },
        new("the token of a service", w => Token(w, t => t.With("role", "service_role")), Everything)
        {
            MayWriteAgencies = false,
        },
        new("a token for anon", w => Token(w, t => t.With("role", "anon")), Nobody, IsKnown: false),
        new("a token of another issuer", w => Token(w, t => t.With("iss", "x")), Nobody, IsKnown: false),
        new("a token for another audience", w => Token(w, t => t.With("aud", "x")), Nobody, IsKnown: false),
        new("an expired token", w => Token(w, t => t.Expiring(-60)), Nobody, IsKnown: false),
        new("a token from the future", w => Token(w, t => t.NotBefore(120)), Nobody, IsKnown: false),
        new("a token without a signature", w => Bearer(
            SomeToken.Of(Issuer.Name, w.Admin).Signed("none", null, _ => [])), Nobody, IsKnown: false),
        new("a token signed by somebody else", w => Bearer(SomeToken.Of(Issuer.Name, w.Admin).Signed(
            System.Security.Cryptography.RSA.Create(2048), Issuer.RsaId)), Nobody, IsKnown: false),
        new("a key and a token", w => [.. Key(w.Key("admin")), .. Bearer(w.Issuer.TokenOf(w.Admin))], Nobody,
            IsKnown: false),
    ];

    public static TheoryData<string, string> Everywhere
    {
        get
        {
            var all = new TheoryData<string, string>();
            foreach (var line in EndpointLine.All)
                foreach (var credential in Credentials)
                    all.Add(line.Name, credential.Name);
            return all;
        }
    }

    [Fact]
    public void Every_endpoint_has_a_line_in_the_table_and_every_line_an_endpoint()
    {
        var mapped = world.Endpoints.SelectMany(endpoint =>
            (endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["*"])
            .Select(method => $"{method} /{endpoint.RoutePattern.RawText!.TrimStart('/')}"));

        Assert.Equal(EndpointLine.All.Select(line => line.Name).Order(), mapped.Order());
    }

    [Fact]
    public void Every_endpoint_that_is_not_open_to_all_bounds_what_it_reads()
    {
        var open = EndpointLine.All.Where(line => line.Door == Door.Open).Select(line => line.Pattern).ToHashSet();

        Assert.All(
            world.Endpoints.Where(endpoint => !open.Contains($"/{endpoint.RoutePattern.RawText!.TrimStart('/')}")),
            endpoint => Assert.InRange(
                endpoint.Metadata.GetMetadata<IRequestSizeLimitMetadata>()?.MaxRequestBodySize ?? long.MaxValue,
                0,
                ActorsApi.MaxBodyBytes));
    }

    [Theory]
    [MemberData(nameof(Everywhere))]
    public async Task Every_endpoint_answers_every_credential_with_the_status_that_is_written_down(
        string endpoint, string credential)
    {
        var line = EndpointLine.All.Single(line => line.Name == endpoint);
        var sent = Credentials.Single(sent => sent.Name == credential);
        var isLetIn = sent.Opens.Contains(line.Door);
        using var response = await world.SendAsync(
            line.Method == "*" ? HttpMethod.Get : new HttpMethod(line.Method),
            await world.FilledAsync(line.Address, isLetIn),
            line.Body is null ? null : new StringContent(
                // What is so already would not be written.
                line.Body.Replace("A new name", $"{Guid.NewGuid()}", StringComparison.Ordinal), Encoding.UTF8,
                "application/json"),
            line.Method == "PATCH" ? [.. sent.Headers(world), ("If-Match", "*")] : sent.Headers(world));

        if (isLetIn && line.WritesAnAgency && !sent.MayWriteAgencies)
        {
            await ApiAssert.ProblemAsync(response, 403, "not-permitted");
            return;
        }

        var status = !isLetIn ? sent.IsKnown ? 403 : 401 : line.ShowsARow && !sent.SeesRows ? 404 : line.Status;
        // A run that takes longer is promised.
        if ((int)response.StatusCode != status && (status, response.StatusCode) != (200, HttpStatusCode.Accepted))
            Assert.Fail($"{response.StatusCode} and not {status}: {await response.Content.ReadAsStringAsync()}");
        Assert.Equal("nosniff", response.Headers.GetValues("X-Content-Type-Options").Single());
        if (status is not (401 or 403) || line.AnswersInWordsOfItsOwn) return;
        var code = status == 401 ? "unauthorized" : sent.Name.Contains("key", StringComparison.Ordinal)
            ? "scope-missing"
            : "not-admin";
        await ApiAssert.ProblemAsync(response, status, code);
    }

    private static (string, string)[] Key(ApiKey key) => [("X-API-Key", key.Reveal())];

    private static (string, string)[] Bearer(string token) => [("Authorization", $"Bearer {token}")];

    private static (string, string)[] Token(AccessWorld world, Func<SomeToken, SomeToken> change) =>
        Bearer(change(SomeToken.Of(Issuer.Name, world.Admin)).Signed(world.Issuer.Rsa, Issuer.RsaId));

    /// <summary>What a request can carry.</summary>
    /// <param name="Name">For the name of the test.</param>
    /// <param name="Headers">Made when the request is.</param>
    /// <param name="Opens">The doors that it opens.</param>
    /// <param name="IsKnown">False where the API knows nobody by it: then a closed door is 401, else 403.</param>
    private sealed record Credential(
        string Name, Func<AccessWorld, (string, string)[]> Headers, Door[] Opens, bool IsKnown = true)
    {
        /// <summary>Whether it is one to which the policies of PostgreSQL show nothing.</summary>
        public bool IsShownNothing { get; init; }

        /// <summary>Whether its role may write settings of agencies, once it is let in.</summary>
        public bool MayWriteAgencies { get; init; } = true;

        public bool SeesRows => Opens.Contains(Door.Read) && !IsShownNothing;
    }
}
