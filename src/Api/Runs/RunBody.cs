using Actors.Api.Agencies;
using Actors.Api.Errors;
using Actors.Api.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Actors.Api.Runs;

/// <summary>The body of a request for a run of one agency; it may be left out.</summary>
/// <param name="Reason">Why, in the asker's words, on one line or several.</param>
public sealed record AgencyRunBody(string? Reason = null);

/// <summary>The body of a request for a run of many agencies; it may be left out, which means all of them.</summary>
/// <param name="Reason">Why, in the asker's words, on one line or several.</param>
/// <param name="Filter">Which agencies; all of them where it is left out.</param>
public sealed record RunBody(string? Reason = null, RunFilterBody? Filter = null);

/// <summary>Which agencies a run is for: those that fit everything that is given.</summary>
/// <param name="AgencyIds">These, at most 400; each must be there.</param>
/// <param name="Timezone">Those with this IANA zone, such as `Australia/Brisbane`.</param>
/// <param name="State">Those that are `onTime`, `late` or `failed`; paused ones are never run.</param>
/// <param name="Search">
/// Those with this in their name, in upper or lower case, or whose id is or begins with it.
/// </param>
public sealed record RunFilterBody(
    IReadOnlyList<string>? AgencyIds = null, string? Timezone = null, string? State = null, string? Search = null)
{
    public const int MostIds = 400;
    public const int LongestText = 200;

    internal static readonly string[] States =
        [.. AgencyState.All.Select(state => state.Word).Where(word => word != "paused")];
}

/// <summary>A run's filter, once its words are found good; what is null restricts nothing.</summary>
/// <param name="AgencyIds">In the order of ids, each once.</param>
/// <param name="Timezone">An IANA zone id.</param>
/// <param name="State">One of <see cref="RunFilterBody.States"/>.</param>
/// <param name="Search">Part of a name, or an id.</param>
internal sealed record RunFilter(Guid[]? AgencyIds, string? Timezone, string? State, string? Search);

/// <summary>What a request's headers and body say, or what is wrong with them.</summary>
/// <param name="Key">The Idempotency-Key; null where none was sent.</param>
/// <param name="Reason">Null where none was given.</param>
/// <param name="Filter">Null for all agencies, or for the one of the address.</param>
internal sealed record RunWords(string? Key, string? Reason, RunFilter? Filter)
{
    private const string Reasons = "reason";
    private const string FilterName = "filter";

    /// <summary>Reads a request for a run, or answers what to write instead. Nothing was changed then.</summary>
    /// <param name="request">What was sent.</param>
    /// <param name="mayFilter">Whether it may say which agencies.</param>
    public static async Task<(RunWords? Words, ProblemHttpResult? Refusal)> ReadAsync(
        HttpRequest request, bool mayFilter)
    {
        var key = IdempotencyKey.Of(request.Headers, out var keyAdvice);
        if (keyAdvice is not null)
        {
            return (null, ApiError.InvalidParameter.ToProblem(("errors", new Dictionary<string, string[]>
            {
                [IdempotencyKey.HeaderName] = [keyAdvice],
            })));
        }

        var (json, malformed) = await JsonBody.ReadAsync(request, mayFilter ? [Reasons, FilterName] : [Reasons]);
        if (json is null) return (null, malformed);
        var reason = RunReason.Parse(json.Text(Reasons), out var advice);
        if (advice is not null) json.Refuse(Reasons, advice);
        var filter = mayFilter
            && json.Object(FilterName, "agencyIds", "timezone", "state", "search") is { } filtering
            ? Read(filtering)
            : null;
        return json.Refusal() is { } refusal ? (null, refusal) : (new RunWords(key, reason, filter), null);
    }

    private static RunFilter Read(JsonBody json)
    {
        SortedSet<Guid>? ids = null;
        if (json.Texts("agencyIds") is { } texts)
        {
            ids = [];
            if (texts.Count > RunFilterBody.MostIds)
                json.Refuse("agencyIds", $"There are {texts.Count} ids; give at most {RunFilterBody.MostIds}, or "
                    + "filter otherwise.");
            for (var index = 0; index < Math.Min(texts.Count, RunFilterBody.MostIds); index++)
            {
                if (Guid.TryParseExact(texts[index], "D", out var id)) ids.Add(id);
                else json.Refuse($"agencyIds[{index}]", "This is no UUID.");
            }
        }

        var state = json.Text("state");
        if (state is not null && !RunFilterBody.States.Contains(state))
            json.Refuse("state", $"The state is '{PlainText.Shown(state)}'; expected is one of "
                + $"{string.Join(", ", RunFilterBody.States)}. Paused agencies are not run.");
        return new RunFilter(ids is null ? null : [.. ids], OneLine("timezone"), state, OneLine("search"));

        string? OneLine(string name)
        {
            // An empty one would quietly mean every agency.
            if (json.Text(name) is not { } text) return null;
            if (text.Length > RunFilterBody.LongestText || !PlainText.IsOneLine(text)
                || string.IsNullOrWhiteSpace(text))
            {
                json.Refuse(name, $"Expected is a text of 1 to {RunFilterBody.LongestText} characters on one line, or "
                    + "nothing.");
            }

            return text.Trim();
        }
    }
}
