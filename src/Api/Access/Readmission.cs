using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Actors.Api.Access;

/// <summary>
/// For requests that last: whether the credential that let one in would let it in again. A key that was revoked, and a
/// key or token that expired meanwhile, would not.
/// </summary>
internal static class Readmission
{
    public static async Task<bool> IsStillAdmittedAsync(HttpContext context)
    {
        var services = context.RequestServices;
        var scheme = await services.GetRequiredService<IAuthenticationSchemeProvider>()
            .GetSchemeAsync(context.User.Identity!.AuthenticationType!);
        // A handler of its own: the request's remembers what it said when the request came.
        var handler = (IAuthenticationHandler)services.GetRequiredService(scheme!.HandlerType);
        await handler.InitializeAsync(scheme, context);
        return (await handler.AuthenticateAsync()).Succeeded;
    }
}
