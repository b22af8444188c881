using System.Diagnostics;
using Microsoft.AspNetCore.Http;

namespace Actors.Api.Errors;

/// <summary>What a request is called in answers, so that it is found in the log.</summary>
internal static class RequestTrace
{
    /// <summary>The 32 digits that the lines of the log end with; where nobody traces, the server's own name.</summary>
    public static string IdOf(HttpContext context) =>
        Activity.Current?.TraceId.ToString() ?? context.TraceIdentifier;
}
