using System.Globalization;
using Actors.Api.Access;
using Actors.Silo.CommandLine;

namespace Actors.Silo.Hosting;

/// <summary>What the environment says about access to the API. Read before anything is started.</summary>
public static class AccessVariables
{
    public const string Issuer = "ACTORS_JWT_ISSUER";
    public const string Audience = "ACTORS_JWT_AUDIENCE";
    public const string JwksUrl = "ACTORS_JWT_JWKS_URL";
    public const string Secret = "ACTORS_JWT_SECRET";
    public const string Reads = "ACTORS_LIMIT_READS";
    public const string Triggers = "ACTORS_LIMIT_TRIGGERS";
    public const string Failures = "ACTORS_LIMIT_FAILURES";

    /// <summary>The settings; those that no variable names are as usual.</summary>
    /// <param name="variable">The value of a variable by its name; null or blank where it is not set.</param>
    /// <exception cref="CommandFailure">A value cannot be used; the message names it, and never the secret.</exception>
    public static AccessSettings Read(Func<string, string?> variable)
    {
        ArgumentNullException.ThrowIfNull(variable);
        var usual = new ApiLimits();
        return new AccessSettings
        {
            Tokens = Tokens(Given),
            Limits = new ApiLimits
            {
                Reads = Rate(Reads) ?? usual.Reads,
                Triggers = Rate(Triggers) ?? usual.Triggers,
                Failures = Rate(Failures) ?? usual.Failures,
            },
        };

        // An empty variable, as scripts and compose files leave them, is none.
        string? Given(string name) => variable(name) is { } value && !string.IsNullOrWhiteSpace(value) ? value : null;

        RequestRate? Rate(string name) => Given(name) is not { } text
            ? null
            : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var perSecond)
                && perSecond is >= 1 and <= RequestRate.Most
                ? RequestRate.Of(perSecond)
                : throw new CommandFailure(ExitCode.Usage, string.Create(
                    CultureInfo.InvariantCulture,
                    $"{name} is '{text}'; expected are requests a second, from 1 to {RequestRate.Most}."));
    }

    private static JwtSettings? Tokens(Func<string, string?> given)
    {
        var (issuer, audience, jwksUrl, secret) = (given(Issuer), given(Audience), given(JwksUrl), given(Secret));
        if (issuer is null && audience is null && jwksUrl is null && secret is null) return null;
        return JwtSettings.Parse(issuer, audience, jwksUrl, secret, out var advice) ?? throw new CommandFailure(
            ExitCode.Usage, $"Tokens cannot be taken with {Issuer}, {JwksUrl} and {Secret} as they are: {advice}.");
    }
}
