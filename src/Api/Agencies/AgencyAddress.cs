using Actors.Api.Errors;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Actors.Api.Agencies;

/// <summary>The id of an agency in an address.</summary>
internal static class AgencyAddress
{
    /// <summary>The id, or null where it is no UUID, so that no agency has it.</summary>
    public static Guid? Parse(string id) => Guid.TryParseExact(id, "D", out var agency) ? agency : null;

    /// <summary>The same words for what is not there and for what the caller may not see.</summary>
    public static ProblemHttpResult NotFound(string id) => new ApiError(
        404, "agency-not-found", "Agency not found", $"No agency has the id {Requests.PlainText.Shown(id)}.")
        .ToProblem();
}
