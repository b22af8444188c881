using Actors.Api.Runs;
using Actors.Api.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Actors.Api.Agencies;

/// <summary>The body of what only is done for a reason.</summary>
/// <param name="Reason">At most 1,000 characters, in the asker's words.</param>
public sealed record ReasonBody(string Reason)
{
    /// <summary>Reads a reason that must be there.</summary>
    internal static async Task<(string? Reason, ProblemHttpResult? Refusal)> ReadAsync(HttpRequest request)
    {
        var (json, malformed) = await JsonBody.ReadAsync(request, "reason");
        if (json is null) return (null, malformed);
        var reason = Taken(json);
        return (reason, json.Refusal());
    }

    /// <summary>Takes a reason out of a body, or notes what is wrong with it.</summary>
    internal static string? Taken(JsonBody json)
    {
        var reason = RunReason.Parse(json.Text("reason"), out var advice);
        if (advice is not null) json.Refuse("reason", advice);
        else if (reason is null) json.Refuse("reason", "The reason is missing; say why, for whoever asks later.");
        return reason;
    }
}
