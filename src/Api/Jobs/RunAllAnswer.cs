using System.Globalization;
using System.Text.Json.Serialization;
using Actors.Api.Runs;
using Actors.Grains.Interfaces;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Actors.Api.Jobs;

/// <summary>
/// What a run of all agencies marked, in the words of the original design, which other programs read:
/// `{"success":true,"recordsUpdated":3,"agencies":[…]}`, and with `error` when it failed.
/// </summary>
/// <param name="Success">Whether every agency was brought up to date.</param>
/// <param name="RecordsUpdated">How many installments were marked, also where some agencies failed.</param>
/// <param name="Agencies">Every agency that was brought up to date, in the order of ids.</param>
/// <param name="Error">What went wrong, in one sentence; left out when nothing did.</param>
public sealed record RunAllAnswer(
    bool Success,
    int RecordsUpdated,
    IReadOnlyList<AgencyCountAnswer> Agencies,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Error)
{
    /// <summary>The answer that a run deserves: 200, or 500 with what was marked all the same.</summary>
    public static Results<Ok<RunAllAnswer>, InternalServerError<RunAllAnswer>> Decide(RunAllResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        var answer = new RunAllAnswer(
            result.Failures.Count == 0 && result.Error is null,
            result.RecordsUpdated,
            [.. result.Agencies.Select(agency => new AgencyCountAnswer(
                agency.Agency.Value, agency.RecordsUpdated, new StatusTransitions(agency.RecordsUpdated)))],
            result.Error ?? ErrorOf(result.Failures));
        return answer.Success ? TypedResults.Ok(answer) : TypedResults.InternalServerError(answer);
    }

    /// <summary>The answer where nothing is known to have been marked.</summary>
    public static RunAllAnswer Failed(string error) => new(false, 0, [], error);

    private static string? ErrorOf(IReadOnlyList<AgencyFailure> failures) => failures.Count == 0
        ? null
        : string.Create(CultureInfo.InvariantCulture, $"{failures.Count:N0} agencies failed: {failures[0].Error}");
}

/// <summary>One agency's share, with the names of the columns of `update_installment_statuses()`.</summary>
public sealed record AgencyCountAnswer(
    [property: JsonPropertyName("agency_id")] Guid AgencyId,
    [property: JsonPropertyName("updated_count")] int UpdatedCount,
    StatusTransitions Transitions);

/// <summary>A refusal, in the words of the original design: `{"error":"Unauthorized"}`.</summary>
public sealed record RefusalAnswer(string Error);
