using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.DependencyInjection;

namespace Actors.Api.Access;

/// <summary>Who may do what, named once and asked for on route groups. Scopes of keys have the same names.</summary>
public static class AccessPolicies
{
    /// <summary>
    /// May ask what became of its own requests: whoever has a good credential. PostgreSQL decides which rows.
    /// </summary>
    public const string Known = "known";

    /// <summary>
    /// May read; PostgreSQL decides which rows. A key with the scope `read` or `admin`, or any good token.
    /// </summary>
    public const string Read = "read";

    /// <summary>
    /// May change settings, pause and resume, undo, and acknowledge alerts: a key with the scope `admin`, or the token
    /// of an admin by `user_roles`.
    /// </summary>
    public const string Admin = "admin";

    /// <summary>
    /// May trigger runs: a key with the scope `trigger`, which new keys have, or `admin`; or the token of an admin.
    /// </summary>
    public const string Trigger = "trigger";

    internal static void AddAccess(this IServiceCollection services, AccessSettings settings)
    {
        services.AddSingleton(settings);
        services.AddSingleton<ApiKeyLookup>();
        services.AddSingleton(provider => new KeyGate(provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<CallerDatabase>();
        var authentication = services.AddAuthentication(CallerAuthentication.SchemeName)
            .AddScheme<CallerAuthenticationOptions, CallerAuthentication>(
                CallerAuthentication.SchemeName, scheme => scheme.TakesTokens = settings.Tokens is not null);
        if (settings.Tokens is { } tokens)
            authentication.AddTokens(JwtBearerDefaults.AuthenticationScheme, tokens);

        var authorization = services.AddAuthorizationBuilder()
            .AddPolicy(Known, policy => policy.RequireAuthenticatedUser());
        foreach (var scope in ApiKeyScopes.Known)
        {
            authorization.AddPolicy(scope, policy => policy
                .RequireAuthenticatedUser()
                .AddRequirements(new ScopeRequirement(scope)));
        }

        services.AddSingleton<IAuthorizationHandler, ScopeHandler>();
        services.AddSingleton<IAuthorizationMiddlewareResultHandler, AccessAnswers>();
        services.AddRateLimits(settings.Limits);
    }
}
