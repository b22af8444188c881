using Actors.Api.Access;
using Actors.Silo.CommandLine;
using Actors.Silo.CommandLine.Commands;
using NodaTime;
using NodaTime.Text;
using Xunit;

namespace Actors.Tests.Unit.CommandLine;

/// <summary>Times and keys as people write them for `./actors key`.</summary>
public sealed class KeyWordsTests
{
    private static readonly Instant Now = Instant.FromUtc(2026, 8, 9, 7, 0);

    [Theory]
    [InlineData("90d", "2026-11-07T07:00:00Z")]
    [InlineData("1h", "2026-08-09T08:00:00Z")]
    [InlineData("3650d", "2036-08-06T07:00:00Z")]
    [InlineData("2026-08-10", "2026-08-10T00:00:00Z")]
    [InlineData("2027-01-31T12:00:00Z", "2027-01-31T12:00:00Z")]
    public void A_time_is_read(string text, string instant) =>
        Assert.Equal(instant, InstantPattern.General.Format(KeyExpiry.Read("--expires", text, Now)));

    [Theory]
    [InlineData("", "is no time")]
    [InlineData("d", "is no time")]
    [InlineData("90", "is no time")]
    [InlineData("-1d", "is no time")]
    [InlineData("1.5d", "is no time")]
    [InlineData("2m", "is no time")]
    [InlineData("tomorrow", "is no time")]
    [InlineData("2026-02-30", "is no time")]
    [InlineData("2027-01-31 12:00", "is no time")]
    [InlineData("0d", "is past: it is 2026-08-09T07:00:00Z now")]
    [InlineData("2026-08-09", "is past")]
    [InlineData("3651d", "is more than ten years away")]
    [InlineData("999999d", "is more than ten years away")]
    [InlineData("9999999d", "is no time")]
    [InlineData("9999-12-31", "is more than ten years away")]
    public void A_time_that_cannot_be_is_named_with_what_is_expected(string text, string said)
    {
        var failure = Assert.Throws<CommandFailure>(() => KeyExpiry.Read("--expires", text, Now));

        Assert.Equal(ExitCode.BadInput, failure.Code);
        Assert.StartsWith($"--expires '{text}' {said}", failure.Message, StringComparison.Ordinal);
        Assert.Contains("90d, 12h", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_name_means_its_live_key_and_else_the_newest_that_is_not_revoked()
    {
        var (old, live) = (Key("billing", age: 3, revoked: true), Key("billing", age: 2));
        var (expired, revoked) = (Key("import", age: 9, expired: true), Key("import", age: 1, revoked: true));

        Assert.Same(live, KeyReference.Find("billing", [old, live]));
        Assert.Same(expired, KeyReference.Find("import", [expired, revoked]));
        Assert.Same(old, KeyReference.Find("billing", [old]));
    }

    [Fact]
    public void An_id_means_its_key_also_by_its_beginning_and_a_name_goes_before_it()
    {
        var key = Key("billing");
        var named = Key(key.ShortId);

        Assert.Same(key, KeyReference.Find(key.Id.ToString(), [key, named]));
        Assert.Same(key, KeyReference.Find(key.ShortId.ToUpperInvariant(), [key]));
        Assert.Same(named, KeyReference.Find(key.ShortId, [key, named]));
        Assert.Throws<CommandFailure>(() => KeyReference.Find(key.Id.ToString()[..7], [key]));
    }

    [Fact]
    public void Two_live_keys_of_a_name_must_be_told_apart()
    {
        var (one, two) = (Key("billing"), Key("billing"));

        var failure = Assert.Throws<CommandFailure>(() => KeyReference.Find("billing", [one, two]));

        Assert.Equal(ExitCode.BadInput, failure.Code);
        Assert.Contains($"{one.ShortId} (made 2026-08-09T07:00:00Z, never used) or {two.ShortId}", failure.Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("biling", "There is no API key 'biling'; did you mean 'billing'? `./actors key list` shows all.")]
    [InlineData("other", "There is no API key 'other'. `./actors key list` shows all.")]
    public void An_unknown_name_is_answered_with_the_nearest_one(string text, string said) => Assert.Equal(
        said, Assert.Throws<CommandFailure>(() => KeyReference.Find(text, [Key("billing"), Key("billing")])).Message);

    private static ApiKeyRow Key(string name, int age = 0, bool expired = false, bool revoked = false) => new(
        Guid.NewGuid(), name, ["trigger"], Now - Duration.FromDays(age), expired ? Now : null, revoked ? Now : null,
        null, !expired && !revoked);
}
