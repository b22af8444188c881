using System.Globalization;
using Actors.Grains.Interfaces;

namespace Actors.Api.Runs;

/// <summary>What a run of many agencies marked, also where some of them failed.</summary>
/// <param name="JobId">The run's id, and that of its row in the jobs log.</param>
/// <param name="Status">`succeeded`, or `failed` where at least one agency failed.</param>
/// <param name="RecordsUpdated">How many installments became overdue.</param>
/// <param name="Transitions">The same, by the change of status.</param>
/// <param name="AgenciesUpToDate">How many agencies were brought up to date.</param>
/// <param name="AgenciesFailed">How many failed.</param>
/// <param name="AgenciesLeftOut">
/// How many of the selected ones were not run, because they are paused or gone; null for a run of all.
/// </param>
/// <param name="Agencies">
/// Those of which something was marked, in the order of ids, the first 1,000 of them.
/// </param>
/// <param name="AgenciesAreCut">Whether there are more of those; the jobs log has all.</param>
/// <param name="Failures">The failed ones, in the order of ids, the first 100 of them.</param>
/// <param name="Error">What went wrong, in one sentence; null when nothing did.</param>
public sealed record ManyRunAnswer(
    Guid JobId,
    string Status,
    int RecordsUpdated,
    StatusTransitions Transitions,
    int AgenciesUpToDate,
    int AgenciesFailed,
    int? AgenciesLeftOut,
    IReadOnlyList<AgencyMarked> Agencies,
    bool AgenciesAreCut,
    IReadOnlyList<AgencyRunFailure> Failures,
    string? Error)
{
    public const int MostAgencies = 1_000;
    public const int MostFailures = 100;

    /// <summary>The answer that a run deserves.</summary>
    /// <param name="result">What became of it.</param>
    /// <param name="selected">How many agencies it was for; null for all.</param>
    public static ManyRunAnswer From(RunAllResult result, int? selected)
    {
        ArgumentNullException.ThrowIfNull(result);
        var marked = result.Agencies.Where(agency => agency.RecordsUpdated > 0).ToList();
        var isWhole = result.Failures.Count == 0 && result.Error is null;
        return new ManyRunAnswer(
            result.Job.Value,
            isWhole ? "succeeded" : "failed",
            result.RecordsUpdated,
            new StatusTransitions(result.RecordsUpdated),
            result.Agencies.Count,
            result.Failures.Count,
            selected is { } asked ? Math.Max(0, asked - result.Agencies.Count - result.Failures.Count) : null,
            [.. marked.Take(MostAgencies).Select(one => new AgencyMarked(one.Agency.Value, one.RecordsUpdated))],
            marked.Count > MostAgencies,
            [.. result.Failures.Take(MostFailures).Select(one => new AgencyRunFailure(one.Agency.Value, one.Error))],
            isWhole ? null : result.Error ?? Sentence(result.Failures));
    }

    private static string Sentence(IReadOnlyList<AgencyFailure> failures) => string.Create(
        CultureInfo.InvariantCulture,
        $"{failures.Count:N0} {(failures.Count == 1 ? "agency" : "agencies")} failed; the first: "
        + $"{failures[0].Agency}: {failures[0].Error}");
}

/// <summary>One agency's share in a run of many.</summary>
public sealed record AgencyMarked(Guid AgencyId, int RecordsUpdated);

/// <summary>One agency's failure in a run of many.</summary>
public sealed record AgencyRunFailure(Guid AgencyId, string Error);
