using System.Text.Json;
using NodaTime;
using NodaTime.Text;

namespace Actors.Api.Jobs;

/// <summary>
/// What `jobs_log.metadata` tells of a run of ours. Other programs may write into it what they like: a value that is
/// not what it should be counts as not there.
/// </summary>
/// <param name="RequestedBy">Who asked for the run; null where nobody did.</param>
/// <param name="Reason">Why, in their words.</param>
/// <param name="CutoffAt">The instant that it serves; null for catching up, and for what was asked for.</param>
/// <param name="AgenciesAsked">How many agencies a run of all is to reach, while it is being sent out to them.</param>
/// <param name="AgenciesTotal">How many agencies it concerned; null while it is running.</param>
/// <param name="AgenciesMarked">Of how many something was marked; null while it is running.</param>
/// <param name="AgenciesFailed">How many failed; null while it is running.</param>
/// <param name="AgenciesLeft">How many were left at its limit; null where none was.</param>
internal sealed record JobFacts(
    string? RequestedBy,
    string? Reason,
    Instant? CutoffAt,
    int? AgenciesAsked,
    int? AgenciesTotal,
    int? AgenciesMarked,
    int? AgenciesFailed,
    int? AgenciesLeft)
{
    private static readonly JobFacts None = new(null, null, null, null, null, null, null, null);

    /// <summary>Reads the JSON of the column `run_facts`; null for a row of another program.</summary>
    public static JobFacts Of(string? json)
    {
        if (json is null) return None;
        using var document = JsonDocument.Parse(json);
        var facts = document.RootElement;
        return new JobFacts(
            Text("requested_by"),
            Text("reason"),
            OffsetDateTimePattern.Rfc3339.Parse(Text("cutoff_at") ?? "") is { Success: true, Value: var at }
                ? at.ToInstant()
                : null,
            Count("agencies_asked"),
            Count("agencies_total"),
            Count("agencies_marked"),
            Count("agencies_failed"),
            Count("agencies_left"));

        string? Text(string name) =>
            facts.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
                ? value.GetString()
                : null;

        int? Count(string name) =>
            facts.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number
            && value.TryGetInt32(out var count)
                ? count
                : null;
    }
}
