using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Actors.Api.Access;

/// <summary>
/// Lets a request in by a token (a JWT in `Authorization: Bearer`). The framework checks signature, issuer, audience
/// and time; who the caller then is, <see cref="TokenCaller"/> says.
/// </summary>
internal static class TokenAuthentication
{
    public static void AddTokens(this AuthenticationBuilder authentication, string scheme, JwtSettings settings)
    {
        authentication.Services.AddSingleton<SigningKeys>(provider => new SigningKeys(
            settings.JwksUrl!,
            SigningKeys.CreateClient(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<SigningKeys>>()));
        authentication.Services.AddOptions<JwtBearerOptions>(scheme).Configure<IServiceProvider>((bearer, provider) =>
        {
            bearer.MapInboundClaims = false;
            bearer.TokenValidationParameters = settings.ToParameters();
            bearer.Events = new JwtBearerEvents { OnTokenValidated = Validated };
            if (settings.JwksUrl is null) return;
            var keys = provider.GetRequiredService<SigningKeys>();
            bearer.TokenValidationParameters.IssuerSigningKeyResolver = (_, _, id, _) => keys.For(id);
            bearer.Events.OnMessageReceived = context => keys.EnsureAsync(
                KeyNamedIn(context.Request.Headers.Authorization.ToString()), context.HttpContext.RequestAborted);
        });
        authentication.AddJwtBearer(scheme, _ => { });
    }

    private static Task Validated(TokenValidatedContext context)
    {
        var token = (JsonWebToken)context.SecurityToken;
        if (TokenCaller.Of(Base64UrlEncoder.DecodeBytes(token.EncodedPayload)) is { } caller)
            context.Principal = caller.ToPrincipal(context.Scheme.Name);
        else
            context.Fail("The token's role is none that is let in, or its subject no id of a user.");
        return Task.CompletedTask;
    }

    /// <summary>The `kid` of what may be a token; null where there is none, which the check then finds too.</summary>
    private static string? KeyNamedIn(string authorization)
    {
        const string prefix = "Bearer ";
        if (!authorization.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)) return null;
        var text = authorization[prefix.Length..].Trim();
        try
        {
            var token = new JsonWebToken(text);
            return token.Kid;
        }
        catch (Exception malformed) when (malformed is ArgumentException or FormatException)
        {
            return null;
        }
    }
}
