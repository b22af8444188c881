using System.Security.Claims;
using Actors.Api.Access;
using Actors.Api.Agencies;
using Actors.Api.Errors;
using Actors.Api.Requests;
using Actors.Grains.Interfaces;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using NodaTime;

namespace Actors.Api.Installments;

/// <summary>
/// `GET /api/installments/{id}/explain`: why one installment is overdue, or is not, with the values of the rule, the
/// instant, and the run that marked it.
/// </summary>
internal static class ExplainInstallment
{
    /// <summary>
    /// An hour before a local date begins, no more than the cutoffs of two dates before it are ahead.
    /// </summary>
    private const int CutoffsToLookThrough = 4;

    /// <summary>The latest year whose cutoffs the grain looks ahead to.</summary>
    private const int LastYear = 9_997;

    public static void MapInstallmentExplanation(this ApiRoutes api) => api.Reads
        .MapGet("/installments/{id}/explain", ExplainAsync)
        .WithName("explainInstallment")
        .WithSummary("Why an installment is overdue or is not, and when it becomes so.")
        .WithTags("Installments")
        .Fails(StatusCodes.Status404NotFound);

    private static async Task<Results<Ok<ExplainAnswer>, ProblemHttpResult>> ExplainAsync(
        string id, HttpContext context, ClaimsPrincipal user, [FromServices] CallerDatabase database,
        [FromServices] IGrainFactory grains)
    {
        var cancellationToken = context.RequestAborted;
        if (!Guid.TryParseExact(id, "D", out var installment)
            || await ReadAsync(database, Caller.Of(user), installment, cancellationToken) is not { } facts)
        {
            return NotFound(id);
        }

        var rule = await AgencyRule.TryAskAsync(grains, facts.AgencyId, 1, cancellationToken);
        var cutoff = await CutoffOfDueDateAsync(grains, facts, rule.Outlook, cancellationToken);
        return TypedResults.Ok(ExplainAnswer.From(
            facts, Explanation.Decide(facts, rule.Outlook, cutoff), rule));
    }

    /// <summary>
    /// The cutoff of a due date that is still ahead. The grain tells which cutoffs follow an instant, so it is asked
    /// from an hour before that date begins on.
    /// </summary>
    private static async Task<Cutoff?> CutoffOfDueDateAsync(
        IGrainFactory grains, InstallmentFacts facts, CutoffOutlook? outlook, CancellationToken cancellationToken)
    {
        if (facts.DueDate is not { Year: <= LastYear } due
            || outlook is not { Problem: null, NextCutoffs: [var next, ..] })
        {
            return null;
        }

        if (due <= next.Date) return due == next.Date ? next : null;
        var zone = DateTimeZoneProviders.Tzdb.GetZoneOrNull(outlook.Timezone);
        if (zone is null) return null;
        var before = zone.AtStartOfDay(due).ToInstant() - Duration.FromHours(1);
        var later = await AgencyRule.AskAsync(
            grains, facts.AgencyId, before, CutoffsToLookThrough, cancellationToken);
        return later?.NextCutoffs.Cast<Cutoff?>().FirstOrDefault(cutoff => cutoff!.Value.Date == due);
    }

    private static async Task<InstallmentFacts?> ReadAsync(
        CallerDatabase database, Caller caller, Guid installment, CancellationToken cancellationToken)
    {
        await using var session = await database.BeginAsync(caller, CallerAccess.Read, cancellationToken);
        return await InstallmentFacts.ReadAsync(session, installment, cancellationToken);
    }

    private static ProblemHttpResult NotFound(string id) => new ApiError(
        404, "installment-not-found", "Installment not found", $"No installment has the id {PlainText.Shown(id)}.")
        .ToProblem();
}
