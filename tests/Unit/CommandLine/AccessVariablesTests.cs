using Actors.Api.Access;
using Actors.Silo.CommandLine;
using Actors.Silo.Hosting;
using Xunit;

namespace Actors.Tests.Unit.CommandLine;

public sealed class AccessVariablesTests
{
    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("  ")]
    public void Without_variables_or_with_empty_ones_keys_alone_are_taken_and_limits_are_as_usual(string? value)
    {
        var settings = AccessVariables.Read(_ => value);

        Assert.Null(settings.Tokens);
        Assert.Equal(new ApiLimits(), settings.Limits);
    }

    [Fact]
    public void Variables_say_whose_tokens_are_taken_and_how_much_is_answered()
    {
        var settings = Read(
            (AccessVariables.Issuer, "https://auth.example.com"), (AccessVariables.Audience, "other"),
            (AccessVariables.Secret, new string('x', 32)), (AccessVariables.Reads, "7"));

        Assert.Equal(("https://auth.example.com", "other"), (settings.Tokens!.Issuer, settings.Tokens.Audience));
        Assert.Equal(new ApiLimits { Reads = new RequestRate(7, 14) }, settings.Limits);
    }

    [Theory]
    [InlineData(AccessVariables.Audience, "authenticated", "the issuer is missing")]
    [InlineData(AccessVariables.Issuer, "https://auth.example.com", "the keys are missing")]
    [InlineData(AccessVariables.Reads, "0", "_READS is '0'; expected are requests a second, from 1 to 100000.")]
    [InlineData(AccessVariables.Triggers, "many", "ACTORS_LIMIT_TRIGGERS is 'many';")]
    [InlineData(AccessVariables.Failures, "100001", "ACTORS_LIMIT_FAILURES is '100001';")]
    public void What_cannot_be_used_is_named(string variable, string value, string said)
    {
        var failure = Assert.Throws<CommandFailure>(() => Read((variable, value)));

        Assert.Equal(ExitCode.Usage, failure.Code);
        Assert.Contains(said, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_secret_that_is_too_short_is_not_repeated()
    {
        var failure = Assert.Throws<CommandFailure>(() => Read(
            (AccessVariables.Issuer, "https://auth.example.com"), (AccessVariables.Secret, "hunter2")));

        Assert.Contains("the secret has 7 bytes", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", failure.Message, StringComparison.Ordinal);
    }

    private static AccessSettings Read(params (string Name, string Value)[] variables) =>
        AccessVariables.Read(name => variables.SingleOrDefault(variable => variable.Name == name).Value);
}
