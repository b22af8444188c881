using Actors.Api.Errors;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;

namespace Actors.Api.Requests;

/// <summary>
/// The condition of a change: the entity tag of what its maker has seen. Without it two people who change the same
/// thing at the same time would overwrite each other unawares.
/// </summary>
internal sealed class IfMatch
{
    private readonly IList<EntityTagHeaderValue> _tags;

    private IfMatch(IList<EntityTagHeaderValue> tags) => _tags = tags;

    /// <summary>Reads the header; a change without it is refused.</summary>
    public static (IfMatch? Condition, ProblemHttpResult? Refusal) Of(HttpRequest request)
    {
        var given = request.Headers.IfMatch;
        if (given.Count == 0) return (null, ApiError.IfMatchRequired.ToProblem());
        return EntityTagHeaderValue.TryParseStrictList([.. given.Select(tag => tag ?? "")], out var tags)
            ? (new IfMatch(tags), null)
            : (null, ApiError.InvalidIfMatch.ToProblem());
    }

    /// <summary>
    /// Whether the thing that has this tag now may be changed. A weak tag matches nothing; * matches all.
    /// </summary>
    public bool Allows(string tag) => _tags.Any(seen =>
        seen.Equals(EntityTagHeaderValue.Any)
        || seen.Compare(new EntityTagHeaderValue(tag), useStrongComparison: true));
}
