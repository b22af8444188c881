using System.Text.Json.Nodes;
using Actors.Api.Access;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Actors.Tests.Integration.Access;

/// <summary>When an issuer is asked for its keys, and what holds while it does not answer.</summary>
public sealed class SigningKeysTests : IAsyncLifetime
{
    private readonly Issuer issuer = new();
    private readonly FakeTimeProvider clock = new();
    private SigningKeys keys = null!;

    public async ValueTask InitializeAsync()
    {
        await issuer.InitializeAsync();
        keys = new SigningKeys(
            issuer.JwksUrl, SigningKeys.CreateClient(), clock, NullLogger<SigningKeys>.Instance);
    }

    [Fact]
    public async Task Keys_are_fetched_once_when_the_first_token_comes()
    {
        Assert.Equal(0, issuer.Fetches);

        for (var token = 0; token < 3; token++) await EnsureAsync(Issuer.RsaId);

        Assert.Equal(1, issuer.Fetches);
        Assert.Single(keys.For(Issuer.RsaId));
        Assert.Single(keys.For(Issuer.EllipticId));
        Assert.Equal(2, keys.For(null).Count());
        Assert.Empty(keys.For("another"));
    }

    [Fact]
    public async Task Many_that_come_at_once_are_served_by_one_fetch()
    {
        var hold = new TaskCompletionSource();
        issuer.Holds = hold.Task;
        var waiting = Enumerable.Range(0, 50).Select(_ => EnsureAsync(Issuer.RsaId)).ToList();
        hold.SetResult();

        await Task.WhenAll(waiting);

        Assert.Equal(1, issuer.Fetches);
    }

    [Fact]
    public async Task A_key_that_is_not_known_is_asked_for_but_not_more_often_than_every_ten_seconds()
    {
        await EnsureAsync(Issuer.RsaId);
        for (var stranger = 0; stranger < 20; stranger++) await EnsureAsync($"made up {stranger}");
        Assert.Equal(1, issuer.Fetches);

        clock.Advance(SigningKeys.Floor);
        for (var stranger = 0; stranger < 20; stranger++) await EnsureAsync($"made up {stranger}");
        Assert.Equal(2, issuer.Fetches);
    }

    [Fact]
    public async Task A_new_key_of_the_issuer_is_found_by_the_first_token_that_names_it()
    {
        await EnsureAsync(Issuer.RsaId);
        issuer.Keys.Add(Issuer.Published(issuer.Rsa, "rsa-2"));
        clock.Advance(SigningKeys.Floor);

        await EnsureAsync("rsa-2");

        Assert.Single(keys.For("rsa-2"));
    }

    [Fact]
    public async Task After_an_hour_they_are_fetched_anew_and_a_key_that_was_taken_back_is_gone()
    {
        await EnsureAsync(Issuer.RsaId);
        issuer.Keys.RemoveAt(0);
        clock.Advance(SigningKeys.RefreshedAfter);

        await EnsureAsync(Issuer.RsaId);

        Assert.Equal(2, issuer.Fetches);
        Assert.Empty(keys.For(Issuer.RsaId));
    }

    [Fact]
    public async Task While_the_issuer_is_away_its_keys_go_on_for_a_day_and_unknown_ones_cannot_be_judged()
    {
        await EnsureAsync(Issuer.RsaId);
        issuer.IsDown = true;
        clock.Advance(SigningKeys.RefreshedAfter);

        await EnsureAsync(Issuer.RsaId);
        Assert.Single(keys.For(Issuer.RsaId));
        await Assert.ThrowsAsync<SigningKeysUnavailableException>(() => EnsureAsync("rsa-2"));

        clock.Advance(SigningKeys.KeptFor - SigningKeys.RefreshedAfter);
        await Assert.ThrowsAsync<SigningKeysUnavailableException>(() => EnsureAsync(Issuer.RsaId));
        Assert.Empty(keys.For(Issuer.RsaId));

        issuer.IsDown = false;
        clock.Advance(SigningKeys.Floor);
        await EnsureAsync(Issuer.RsaId);
        Assert.Single(keys.For(Issuer.RsaId));
    }

    [Fact]
    public async Task An_issuer_that_is_away_is_not_asked_in_a_tighter_loop()
    {
        issuer.IsDown = true;
        for (var token = 0; token < 20; token++)
            await Assert.ThrowsAsync<SigningKeysUnavailableException>(() => EnsureAsync(Issuer.RsaId));

        Assert.Equal(1, issuer.Fetches);
    }

    [Fact]
    public async Task Whoever_holds_a_known_key_does_not_wait_for_the_hourly_fetch_of_another()
    {
        await EnsureAsync(Issuer.RsaId);
        clock.Advance(SigningKeys.RefreshedAfter);
        var hold = new TaskCompletionSource();
        issuer.Holds = hold.Task;
        var first = EnsureAsync(Issuer.RsaId);

        await EnsureAsync(Issuer.RsaId);

        Assert.False(first.IsCompleted);
        hold.SetResult();
        await first;
    }

    [Theory]
    [InlineData("")]
    [InlineData("<html>Not what you think</html>")]
    [InlineData("""{"keys":7}""")]
    public async Task An_answer_that_is_no_set_of_keys_is_an_issuer_that_is_away(string answer)
    {
        issuer.Answer = answer;

        await Assert.ThrowsAsync<SigningKeysUnavailableException>(() => EnsureAsync(Issuer.RsaId));
    }

    [Fact]
    public async Task A_document_of_more_than_256_KB_is_not_read()
    {
        issuer.Answer = new string(' ', SigningKeys.MaxDocumentBytes + 1);

        await Assert.ThrowsAsync<SigningKeysUnavailableException>(() => EnsureAsync(Issuer.RsaId));
    }

    [Fact]
    public async Task A_symmetric_key_and_a_key_for_encryption_sign_nothing()
    {
        issuer.Keys.Clear();
        issuer.Keys.Add(new JsonObject { ["kty"] = "oct", ["kid"] = "symmetric", ["k"] = new string('A', 43) });
        var encrypting = Issuer.Published(issuer.Rsa, "encrypting");
        encrypting["use"] = "enc";
        issuer.Keys.Add(encrypting);

        await EnsureAsync(null);

        Assert.Empty(keys.For(null));
    }

    public async ValueTask DisposeAsync()
    {
        keys.Dispose();
        await issuer.DisposeAsync();
    }

    private Task EnsureAsync(string? id) => keys.EnsureAsync(id, TestContext.Current.CancellationToken);
}
