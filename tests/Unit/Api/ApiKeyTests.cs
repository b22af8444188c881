using System.Reflection.Emit;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using Actors.Api.Access;
using Xunit;

namespace Actors.Tests.Unit.Api;

public sealed class ApiKeyTests
{
    [Fact]
    public void A_key_is_its_prefix_and_256_bits_that_no_other_key_has()
    {
        var keys = Enumerable.Range(0, 1_000).Select(_ => ApiKey.Create().Reveal()).ToList();

        Assert.All(keys, key => Assert.Matches("^actors_[A-Za-z0-9_-]{43}$", key));
        Assert.Equal(keys.Count, keys.Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public void The_hash_is_the_sha_256_of_the_whole_key()
    {
        var key = ApiKey.Create();

        Assert.Equal(SHA256.HashData(Encoding.UTF8.GetBytes(key.Reveal())), key.Hash());
    }

    [Fact]
    public void A_key_that_is_read_back_is_the_same_key()
    {
        var key = ApiKey.Create();

        Assert.Equal(key.Hash(), ApiKey.Parse(key.Reveal())?.Hash());
    }

    [Fact]
    public void A_key_that_is_logged_by_mistake_tells_nothing()
    {
        var key = ApiKey.Create();

        Assert.Equal("actors_…", $"{key}");
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("actors_")]
    [InlineData("actors_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("actors_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("Actors_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("actors_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA A")]
    [InlineData("actors_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")]
    [InlineData("actors_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAé")]
    public void What_does_not_look_like_a_key_is_none(string? text) => Assert.Null(ApiKey.Parse(text));

    [Theory]
    [InlineData(true, true, true)]
    [InlineData(true, false, false)]
    [InlineData(false, true, false)]
    public void Only_a_live_key_with_the_same_hash_is_let_in(bool sameHash, bool isLive, bool admitted)
    {
        var hash = ApiKey.Create().Hash();
        var stored = new StoredApiKey(
            Guid.NewGuid(), "any", sameHash ? [.. hash] : ApiKey.Create().Hash(), ApiKeyScopes.TriggerOnly, isLive,
            UseIsToBeNoted: false);

        Assert.Equal(admitted, stored.Admits(hash));
    }

    [Fact]
    public void Hashes_are_compared_in_constant_time()
    {
        var admits = typeof(StoredApiKey).GetMethod(nameof(StoredApiKey.Admits))!;

        Assert.Contains(
            CallsOf(admits),
            call => call.DeclaringType == typeof(CryptographicOperations)
                && call.Name == nameof(CryptographicOperations.FixedTimeEquals));
    }

    private static IEnumerable<MethodBase> CallsOf(MethodInfo method)
    {
        var il = method.GetMethodBody()!.GetILAsByteArray()!;
        return Enumerable.Range(0, il.Length - sizeof(int))
            .Where(at => il[at] == OpCodes.Call.Value)
            .Select(at => BitConverter.ToInt32(il, at + 1))
            .Where(token => token >> 24 is 0x06 or 0x0A)
            .Select(token => method.Module.ResolveMethod(token)!);
    }
}
