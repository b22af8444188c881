using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;

namespace Actors.Api.Access;

/// <summary>That a caller may do what a scope allows.</summary>
/// <param name="Scope">One of <see cref="ApiKeyScopes.Known"/>.</param>
internal sealed record ScopeRequirement(string Scope) : IAuthorizationRequirement;

/// <summary>
/// Decides over a <see cref="ScopeRequirement"/>. A key's scopes are known; of a token's user the database says, as
/// that user, whether it is an admin. A database that does not answer is an exception and no refusal.
/// </summary>
internal sealed class ScopeHandler(CallerDatabase database) : AuthorizationHandler<ScopeRequirement>
{
    protected override async Task HandleRequirementAsync(
        AuthorizationHandlerContext context, ScopeRequirement requirement)
    {
        // The requirement beside this one refuses whoever is not known.
        if (context.User.Identity is not { IsAuthenticated: true }) return;
        var caller = Caller.Of(context.User);
        var admitted = caller.Role switch
        {
            CallerRole.Service => true,
            CallerRole.User => requirement.Scope == AccessPolicies.Read
                || await IsAdminAsync(caller, (context.Resource as HttpContext)?.RequestAborted ?? default),
            _ => ApiKeyScopes.Of(context.User.FindAll(CallerAuthentication.ScopeClaim).Select(claim => claim.Value))
                .Admit(requirement.Scope),
        };
        if (admitted) context.Succeed(requirement);
    }

    private async Task<bool> IsAdminAsync(Caller caller, CancellationToken cancellationToken)
    {
        await using var session = await database.BeginAsync(caller, CallerAccess.Read, cancellationToken);
        await using var ask = session.CreateCommand("SELECT actors.caller_is_admin()");
        return (bool)(await ask.ExecuteScalarAsync(cancellationToken))!;
    }
}
