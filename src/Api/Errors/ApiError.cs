using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Actors.Api.Errors;

/// <summary>
/// Everything that the API can answer other than success. <see cref="Code"/> and <see cref="Type"/> are stable:
/// programs branch on them. <see cref="Detail"/> is for a person: what happened and what to do, without secrets.
/// </summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Code">The kind of error, in kebab-case.</param>
/// <param name="Title">The kind of error in a few words, the same for every occurrence.</param>
/// <param name="Detail">This occurrence, in sentences.</param>
public sealed record ApiError(int Status, string Code, string Title, string Detail)
{
    public static readonly ApiError Unauthorized = new(
        401, "unauthorized", "Unauthorized",
        "Send one valid credential: an API key in the X-API-Key header, or a token in the Authorization header where "
        + "tokens are taken. `./actors key create --name NAME` makes a key.");

    public static readonly ApiError Forbidden = new(
        403, "forbidden", "Forbidden", "This caller may not do that.");

    public static readonly ApiError NotAdmin = new(
        403, "not-admin", "Forbidden",
        "Only an admin may do that: the user of this token has no row in user_roles with the role 'admin'.");

    public static readonly ApiError NotPermitted = new(
        403, "not-permitted", "Forbidden",
        "The database does not let this caller see or change that.");

    public static readonly ApiError NoSuchAddress = new(
        404, "no-such-address", "Not found", "There is nothing at this address.");

    public static readonly ApiError MethodNotAllowed = new(
        405, "method-not-allowed", "Method not allowed",
        "This address does not answer to this method; the Allow header names those that it answers to.");

    public static readonly ApiError MalformedBody = new(
        400, "malformed-body", "Malformed body",
        "The body is no JSON object of the shape that this address takes: look for a missing quote or comma. Nothing "
        + "was changed.");

    public static readonly ApiError InvalidParameter = new(
        400, "invalid-parameter", "Invalid parameter",
        "The query of the address is not as it should be; `errors` says by name what to write instead.");

    public static readonly ApiError InvalidBody = new(
        400, "invalid-body", "Invalid body",
        "The body is not as it should be; `errors` says by name what to write instead. Nothing was changed.");

    public static readonly ApiError InvalidIfMatch = new(
        400, "invalid-if-match", "Invalid If-Match",
        "Send the ETag of the answer that you have seen as it stands, with its quotation marks.");

    public static readonly ApiError ETagMismatch = new(
        412, "etag-mismatch", "Changed meanwhile",
        "It is not any more what you have seen, and nothing was changed. The ETag header of this answer is that of "
        + "now: look at it again, then send If-Match with its ETag.");

    public static readonly ApiError IfMatchRequired = new(
        428, "if-match-required", "If-Match required",
        "Send the header If-Match with the ETag of what you have seen, so that nobody's change is overwritten.");

    public static readonly ApiError BodyTooLarge = new(
        413, "body-too-large", "Body too large", $"Send a body of at most {ActorsApi.MaxBodyBytes} bytes.");

    public static readonly ApiError TooManyRequests = new(
        429, "too-many-requests", "Too many requests",
        "This is more than one caller is given in so short a time, or at the same time. Nothing was done; the "
        + "Retry-After header says after how many seconds to try again.");

    public static readonly ApiError NotJson = new(
        415, "not-json", "Unsupported media type", "Send the body as JSON, with Content-Type: application/json.");

    public static readonly ApiError TooManyRows = new(
        422, "too-many-rows", "Too many rows",
        "The filter leaves more rows than one file may have; narrow it, for example to a shorter time.");

    public static readonly ApiError Unexpected = new(
        500, "unexpected", "Unexpected error",
        "Something went wrong that was not foreseen. The server's log tells more, under this answer's trace id.");

    public static readonly ApiError DatabaseUnavailable = new(
        503, "database-unavailable", "Database unavailable", "The database does not answer. Try again in a moment.");

    public static readonly ApiError DatabaseBusy = new(
        503, "database-busy", "Database busy",
        "The database did not answer in time, and nothing was changed. Ask for less, or try again in a moment.");

    public static readonly ApiError SiloUnavailable = new(
        503, "silo-unavailable", "No silo available",
        "No silo answers, or it stopped during the run. Trying again is harmless: a run marks nothing twice.");

    public static readonly ApiError KeysUnavailable = new(
        503, "keys-unavailable", "Keys unavailable",
        "Whether this token is good cannot be said: its issuer does not tell its public keys. Try again in a moment.");

    public static readonly ApiError RunTimedOut = new(
        504, "run-timed-out", "Run not finished in time",
        "The run did not answer in time, and may still be under way; jobs_log says how it ends. "
        + "Asking again is harmless: a run marks nothing twice.");

    /// <summary>The URI that names the kind of error (RFC 9457).</summary>
    public string Type => $"urn:actors:problem:{Code}";

    /// <summary>A key that is good, but not for this.</summary>
    /// <param name="scope">What it lacks.</param>
    public static ApiError ScopeMissing(string scope) => new(
        403, "scope-missing", "Forbidden",
        $"This API key may not do that: it lacks the scope '{scope}'. "
        + $"`./actors key create --name NAME --scope {scope}` makes one that has it.");

    /// <summary>The error that a status without a body stands for.</summary>
    public static ApiError FromStatus(int status) => status switch
    {
        400 => MalformedBody,
        401 => Unauthorized,
        403 => Forbidden,
        404 => NoSuchAddress,
        405 => MethodNotAllowed,
        413 => BodyTooLarge,
        415 => NotJson,
        429 => TooManyRequests,
        < 500 => new(status, "refused", "Refused", $"The request was refused with status {status}."),
        503 => SiloUnavailable,
        _ => Unexpected with { Status = status },
    };

    /// <summary>This error as problem details; the trace id is added when it is written.</summary>
    /// <param name="facts">What a program may want to know besides, by camelCase name.</param>
    public ProblemHttpResult ToProblem(params (string Name, object? Value)[] facts)
    {
        var extensions = new Dictionary<string, object?>(StringComparer.Ordinal) { ["code"] = Code };
        foreach (var (name, value) in facts)
            extensions.Add(name, value);
        return TypedResults.Problem(Detail, statusCode: Status, title: Title, type: Type, extensions: extensions);
    }
}
