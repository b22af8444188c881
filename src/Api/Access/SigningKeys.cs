using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.Tokens;

namespace Actors.Api.Access;

/// <summary>
/// The public keys of an issuer, as it publishes them (a JWKS document). They are fetched when the first token comes,
/// again after an hour, and when a token names a key that is not among them, but not more often than every ten seconds,
/// whatever strangers send. An issuer that does not answer is not asked in a tighter loop: for a day its keys go on;
/// what cannot be decided without it is <see cref="SigningKeysUnavailableException"/>.
/// </summary>
internal sealed partial class SigningKeys(
    Uri address, HttpClient http, TimeProvider clock, ILogger<SigningKeys> logger) : IDisposable
{
    public static readonly TimeSpan RefreshedAfter = TimeSpan.FromHours(1);
    public static readonly TimeSpan KeptFor = TimeSpan.FromDays(1);
    public static readonly TimeSpan Floor = TimeSpan.FromSeconds(10);

    /// <summary>A longer document is refused, in bytes; ten keys take some five thousand.</summary>
    public const int MaxDocumentBytes = 256 * 1024;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim gate = new(1, 1);
    private volatile Fetched? fetched;
    private long lastAttempt;
    private bool lastAttemptFailed;
    private bool wasAsked;

    /// <summary>
    /// Sees to it that <see cref="For"/> knows what can be known about a key. Whoever holds a token with a known key
    /// never waits for somebody else's fetch.
    /// </summary>
    /// <param name="id">The `kid` of a token; null or empty where it names none.</param>
    /// <param name="cancellationToken">Ends the waiting, not the fetch.</param>
    /// <exception cref="SigningKeysUnavailableException">The issuer does not say.</exception>
    public async Task EnsureAsync(string? id, CancellationToken cancellationToken)
    {
        var isKnown = Knows(id);
        if (isKnown && !IsOld) return;
        if (!await gate.WaitAsync(isKnown ? TimeSpan.Zero : Timeout.InfiniteTimeSpan, cancellationToken)) return;
        try
        {
            // Whoever waited finds what the one before it fetched.
            if ((!Knows(id) || IsOld) && MayAsk) await FetchAsync();
        }
        finally
        {
            gate.Release();
        }

        if (!Knows(id) && lastAttemptFailed) throw new SigningKeysUnavailableException();
    }

    /// <summary>The keys that may have signed a token: the one that it names, or all where it names none.</summary>
    public IEnumerable<SecurityKey> For(string? id) =>
        Usable is not { } keys ? [] : string.IsNullOrEmpty(id) ? keys : keys.Where(key => key.KeyId == id);

    /// <summary>The client that keys are fetched with: bounded in size and time, and sent nowhere else.</summary>
    public static HttpClient CreateClient() => new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
    })
    {
        Timeout = Limit,
        MaxResponseContentBufferSize = MaxDocumentBytes,
    };

    public void Dispose()
    {
        http.Dispose();
        gate.Dispose();
    }

    private bool IsOld => fetched is not { } last || clock.GetElapsedTime(last.At) >= RefreshedAfter;

    private bool MayAsk => !wasAsked || clock.GetElapsedTime(lastAttempt) >= Floor;

    private IReadOnlyList<SecurityKey>? Usable =>
        fetched is { } last && clock.GetElapsedTime(last.At) < KeptFor ? last.Keys : null;

    private bool Knows(string? id) =>
        Usable is { } keys && (string.IsNullOrEmpty(id) || keys.Any(key => key.KeyId == id));

    private async Task FetchAsync()
    {
        wasAsked = true;
        try
        {
            // Not ended with the request that happened to come first: others wait for the same keys.
            var keys = Read(await http.GetStringAsync(address, CancellationToken.None));
            fetched = new Fetched(keys, clock.GetTimestamp());
            lastAttemptFailed = false;
            if (keys.Count == 0) LogNoKeys(logger, address);
        }
        catch (Exception failure) when (failure is HttpRequestException or OperationCanceledException
            or JsonException or ArgumentException or InvalidOperationException)
        {
            lastAttemptFailed = true;
            LogNotFetched(logger, address, failure);
        }
        finally
        {
            lastAttempt = clock.GetTimestamp();
        }
    }

    /// <summary>Only public keys for signatures: a symmetric key in a public document is a secret of nobody.</summary>
    private static List<SecurityKey> Read(string document) =>
    [
        .. new JsonWebKeySet(document).GetSigningKeys()
            .Where(key => key is AsymmetricSecurityKey or JsonWebKey { Kty: "RSA" or "EC" }),
    ];

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The issuer's keys could not be fetched from {Address}; those that are known go on for a day.")]
    private static partial void LogNotFetched(ILogger logger, Uri address, Exception failure);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "There is no public key for signatures at {Address}: every token will be refused. An issuer that "
            + "signs with a secret needs ACTORS_JWT_SECRET instead.")]
    private static partial void LogNoKeys(ILogger logger, Uri address);

    private sealed record Fetched(IReadOnlyList<SecurityKey> Keys, long At);
}

/// <summary>Whether a token is good cannot be said, because its issuer does not tell its keys.</summary>
internal sealed class SigningKeysUnavailableException() : Exception("The issuer's keys could not be fetched.");
