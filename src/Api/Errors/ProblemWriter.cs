using Microsoft.AspNetCore.Http;

namespace Actors.Api.Errors;

/// <summary>Writes problem details (RFC 9457) as JSON whatever the caller accepts, each with its trace id.</summary>
internal sealed class ProblemWriter : IProblemDetailsWriter
{
    // What is away is often back in a moment; whoever knows better has said so already.
    private const string RetryAfterSeconds = "5";

    public bool CanWrite(ProblemDetailsContext context) => true;

    public ValueTask WriteAsync(ProblemDetailsContext context)
    {
        var http = context.HttpContext;
        if (http.Response.StatusCode == StatusCodes.Status503ServiceUnavailable)
            http.Response.Headers.TryAdd("Retry-After", RetryAfterSeconds);
        context.ProblemDetails.Extensions["traceId"] = RequestTrace.IdOf(http);
        return new ValueTask(http.Response.WriteAsJsonAsync(
            context.ProblemDetails, options: null, "application/problem+json", http.RequestAborted));
    }
}
