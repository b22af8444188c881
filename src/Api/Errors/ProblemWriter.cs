using System.Diagnostics;
using Microsoft.AspNetCore.Http;

namespace Actors.Api.Errors;

/// <summary>Writes problem details (RFC 9457) as JSON whatever the caller accepts, each with its trace id.</summary>
internal sealed class ProblemWriter : IProblemDetailsWriter
{
    public bool CanWrite(ProblemDetailsContext context) => true;

    public ValueTask WriteAsync(ProblemDetailsContext context)
    {
        var http = context.HttpContext;
        context.ProblemDetails.Extensions["traceId"] = Activity.Current?.Id ?? http.TraceIdentifier;
        return new ValueTask(http.Response.WriteAsJsonAsync(
            context.ProblemDetails, options: null, "application/problem+json", http.RequestAborted));
    }
}
