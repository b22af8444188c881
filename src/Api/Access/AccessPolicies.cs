using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.DependencyInjection;

namespace Actors.Api.Access;

/// <summary>Who may do what, named once and asked for on route groups.</summary>
public static class AccessPolicies
{
    /// <summary>May trigger runs: an API key with the scope `trigger`, which new keys have.</summary>
    public const string Trigger = "trigger";

    internal static void AddApiKeyAccess(this IServiceCollection services)
    {
        services.AddSingleton(provider => new ApiKeyStore(provider.GetRequiredService<ApiDatabase>().Source));
        services.AddAuthentication()
            .AddScheme<AuthenticationSchemeOptions, ApiKeyAuthentication>(ApiKeyAuthentication.SchemeName, null);
        services.AddAuthorizationBuilder().AddPolicy(Trigger, policy => policy
            .AddAuthenticationSchemes(ApiKeyAuthentication.SchemeName)
            .RequireAuthenticatedUser()
            .RequireClaim(ApiKeyAuthentication.ScopeClaim, Trigger));
    }
}
