using System.Security.Claims;
using System.Text.Encodings.Web;
using Actors.Api.Errors;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Actors.Api.Access;

/// <summary>
/// Lets a request in by its `X-API-Key` header. A header that is missing, doubled or no key, and a key that is
/// unknown, revoked or expired, are answered alike. A database that does not answer is an exception: not knowing is
/// never a refusal.
/// </summary>
internal sealed partial class ApiKeyAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder, ApiKeyStore keys)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    public const string SchemeName = "ApiKey";
    public const string HeaderName = "X-API-Key";
    public const string ScopeClaim = "scope";

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        // The framework asks the only scheme about every request: an address that is open to all, such as
        // /health/live, must not come to need the database because a key was sent along.
        var header = Request.Headers[HeaderName];
        if (header.Count == 0 || Context.GetEndpoint()?.Metadata.GetMetadata<IAuthorizeData>() is null)
            return AuthenticateResult.NoResult();

        var key = header.Count == 1 ? ApiKey.Parse(header[0]) : null;
        if (key is null)
            return AuthenticateResult.Fail("The header holds no API key.");

        var hash = key.Hash();
        var stored = await keys.FindAsync(hash, Context.RequestAborted);
        if (stored is null || !stored.Admits(hash))
            return AuthenticateResult.Fail("The API key is unknown, revoked or expired.");

        if (stored.UseIsToBeNoted)
            await NoteUseAsync(stored);
        return AuthenticateResult.Success(new AuthenticationTicket(PrincipalOf(stored), SchemeName));
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        Response.Headers.WWWAuthenticate = SchemeName;
        return ErrorAnswers.WriteAsync(Context, Context.GetEndpoint(), ApiError.Unauthorized);
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) =>
        ErrorAnswers.WriteAsync(Context, Context.GetEndpoint(), ApiError.ScopeMissing);

    private static ClaimsPrincipal PrincipalOf(StoredApiKey key)
    {
        var identity = new ClaimsIdentity([new Claim(ClaimTypes.Name, key.Name)], SchemeName);
        identity.AddClaims(key.Scopes.Select(scope => new Claim(ScopeClaim, scope)));
        return new ClaimsPrincipal(identity);
    }

    private async Task NoteUseAsync(StoredApiKey key)
    {
        try
        {
            await keys.NoteUseAsync(key.Id, Context.RequestAborted);
        }
        catch (NpgsqlException failure)
        {
            // The note is a convenience for whoever looks for unused keys; the request goes on without it.
            LogUseNotNoted(Logger, key.Name, failure);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The use of the API key '{Name}' could not be noted.")]
    private static partial void LogUseNotNoted(ILogger logger, string name, Exception failure);
}
