using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Actors.Api.Access;

/// <summary>
/// Lets a request in by one credential: an API key in `X-API-Key`, or a token in `Authorization`, where tokens are
/// taken. Whatever is wrong with it (missing, doubled, both, no key, unknown, revoked, expired, not for us), nobody is
/// there, and all of it is answered alike. A database or an issuer that does not answer is an exception: not knowing is
/// never a refusal.
/// </summary>
internal sealed partial class CallerAuthentication(
    IOptionsMonitor<CallerAuthenticationOptions> options, ILoggerFactory loggers, UrlEncoder encoder,
    ApiKeyLookup keys, KeyGate gate, RateBuckets buckets)
    : AuthenticationHandler<CallerAuthenticationOptions>(options, loggers, encoder)
{
    public const string SchemeName = "Caller";
    public const string KeyHeader = "X-API-Key";

    /// <summary>One for each scope of a key; a token has none.</summary>
    public const string ScopeClaim = "actors.scope";

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        // The framework asks about every request: an address that is open to all, such as /health/live, must not come
        // to need the database because a key was sent along.
        if (Context.GetEndpoint()?.Metadata.GetMetadata<IAuthorizeData>() is null) return AuthenticateResult.NoResult();
        var (key, token) = (Request.Headers[KeyHeader], Request.Headers.Authorization);
        return (key.Count, token.Count) switch
        {
            (0, 0) => AuthenticateResult.NoResult(),
            (1, 0) => await ByKeyAsync(key[0]),
            (0, 1) when Options.TakesTokens => await Context.AuthenticateAsync(JwtBearerDefaults.AuthenticationScheme),
            _ => AuthenticateResult.Fail("The request holds more than one credential, or one that is not taken."),
        };
    }

    private async Task<AuthenticateResult> ByKeyAsync(string? text)
    {
        if (ApiKey.Parse(text) is not { } key) return AuthenticateResult.Fail("The header holds no API key.");
        var hash = key.Hash();
        var stored = await FindAsync(hash);
        if (stored is null || !stored.Admits(hash))
            return AuthenticateResult.Fail("The API key is unknown, revoked or expired.");

        gate.Remember(hash);
        if (stored.UseIsToBeNoted) await NoteUseAsync(stored);
        var principal = stored.ToCaller().ToPrincipal(SchemeName);
        ((ClaimsIdentity)principal.Identity!).AddClaims(
            stored.Scopes.Words.Select(scope => new Claim(ScopeClaim, scope)));
        return AuthenticateResult.Success(new AuthenticationTicket(principal, SchemeName));
    }

    private async Task<StoredApiKey?> FindAsync(byte[] hash)
    {
        using var turn = await gate.EnterAsync(
            hash, () => buckets.HasFailedTooOften(Context.Connection.RemoteIpAddress), Context.RequestAborted);
        return await keys.FindAsync(hash, Context.RequestAborted);
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

/// <summary>How <see cref="CallerAuthentication"/> is set up.</summary>
internal sealed class CallerAuthenticationOptions : AuthenticationSchemeOptions
{
    /// <summary>Whether an `Authorization` header is looked at.</summary>
    public bool TakesTokens { get; set; }
}
