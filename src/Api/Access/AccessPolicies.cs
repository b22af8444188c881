using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.DependencyInjection;

namespace Actors.Api.Access;

/// <summary>Who may do what, named once and asked for on route groups.</summary>
public static class AccessPolicies
{
    /// <summary>
    /// May ask what became of its own requests: whoever has a valid credential. PostgreSQL decides which rows.
    /// </summary>
    public const string Known = "known";

    /// <summary>May read; PostgreSQL decides which rows.</summary>
    public const string Read = "read";

    /// <summary>May change settings, pause and resume, undo, and acknowledge alerts.</summary>
    public const string Admin = "admin";

    /// <summary>May trigger runs: an API key with the scope `trigger`, which new keys have.</summary>
    public const string Trigger = "trigger";

    internal static void AddApiKeyAccess(this IServiceCollection services)
    {
        services.AddSingleton(provider => new ApiKeyStore(provider.GetRequiredService<ApiDatabase>().Source));
        services.AddAuthentication()
            .AddScheme<AuthenticationSchemeOptions, ApiKeyAuthentication>(ApiKeyAuthentication.SchemeName, null);
        var authorization = services.AddAuthorizationBuilder()
            .AddPolicy(Known, policy => policy
                .AddAuthenticationSchemes(ApiKeyAuthentication.SchemeName)
                .RequireAuthenticatedUser());
        foreach (var scope in (string[])[Read, Trigger, Admin])
        {
            authorization.AddPolicy(scope, policy => policy
                .AddAuthenticationSchemes(ApiKeyAuthentication.SchemeName)
                .RequireAuthenticatedUser()
                .RequireClaim(ApiKeyAuthentication.ScopeClaim, scope, Admin));
        }
    }
}
