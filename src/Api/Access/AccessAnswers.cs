using Actors.Api.Errors;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Policy;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Actors.Api.Access;

/// <summary>Answers whoever is not let in: 401 without a valid credential, 403 with one that is not enough.</summary>
internal sealed class AccessAnswers(AccessSettings settings) : IAuthorizationMiddlewareResultHandler
{
    private readonly StringValues challenges =
        settings.Tokens is null ? new("ApiKey") : new StringValues(["ApiKey", "Bearer"]);

    public Task HandleAsync(
        RequestDelegate next, HttpContext context, AuthorizationPolicy policy,
        PolicyAuthorizationResult authorizeResult)
    {
        if (authorizeResult.Succeeded) return next(context);
        if (authorizeResult.Challenged)
        {
            context.Response.Headers.WWWAuthenticate = challenges;
            return ErrorAnswers.WriteAsync(context, context.GetEndpoint(), ApiError.Unauthorized);
        }

        return ErrorAnswers.WriteAsync(context, context.GetEndpoint(), Refusal(Caller.Of(context.User), policy));
    }

    private static ApiError Refusal(Caller caller, AuthorizationPolicy policy) => caller.Role == CallerRole.User
        ? ApiError.NotAdmin
        : ApiError.ScopeMissing(policy.Requirements.OfType<ScopeRequirement>().First().Scope);
}
