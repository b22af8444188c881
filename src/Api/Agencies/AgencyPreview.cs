using System.Security.Claims;
using Actors.Api.Access;
using Actors.Api.Requests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace Actors.Api.Agencies;

/// <summary>
/// `GET /api/agencies/{id}/preview`: what a run that somebody asks for would mark, now or at an instant, and what it
/// would not, with the reason for each installment. The agency's grain says what the rule says; the installments are
/// read as the caller. Nothing is changed.
/// </summary>
internal static class AgencyPreview
{
    private const string List = "preview";

    public static void MapAgencyPreview(this ApiRoutes api) => api.Reads
        .MapGet("/agencies/{id}/preview", PreviewAsync)
        .Takes(
            [
                QueryParameter.Instant(
                    "at",
                    "The instant of the run, in the past or the future, with the installments as they are now; left "
                    + "out for now. For further pages send the `rule.at.instant` of the first, so that all are about "
                    + "one."),
                QueryParameter.Word(
                    "reason", "Only installments with this reason; `due` are those that would be marked.",
                    [.. MarkingReason.All]),
                .. PageRequest.Parameters,
            ])
        .WithName("previewAgency")
        .WithSummary("What a run of the agency would mark, and what it would not, with the reasons. Changes nothing.")
        .WithTags("Agencies")
        .Fails(StatusCodes.Status404NotFound);

    private static async Task<Results<Ok<PreviewAnswer>, ProblemHttpResult>> PreviewAsync(
        string id, HttpContext context, ClaimsPrincipal user, [FromServices] CallerDatabase database,
        [FromServices] IGrainFactory grains)
    {
        var query = context.QueryOf();
        var reason = query.Text("reason");
        var list = $"{List} {id} {reason}";
        var page = PageRequest.Of(query, list, PreviewSql.KeyKinds);
        if (query.Refusal() is { } refusal) return refusal;
        var caller = Caller.Of(user);
        var cancellationToken = context.RequestAborted;
        if (AgencyAddress.Parse(id) is not { } agency
            || await AgencyDetails.IsHiddenAsync(database, caller, agency, cancellationToken)
            || await AgencyRule.AskAsync(grains, agency, query.Instant("at"), 1, cancellationToken) is not { } outlook)
        {
            return AgencyAddress.NotFound(id);
        }

        await using var session = await database.BeginAsync(caller, CallerAccess.Read, cancellationToken);
        var installments = new PreviewSql(session, outlook);
        var totals = await installments.TotalsAsync(cancellationToken);
        var items = page.PageOf(
            await installments.ReadAsync(reason, page.After, page.RowsToRead, cancellationToken),
            item => Cursor.Write(list, PreviewSql.KeysOf(item)));
        var due = totals.SingleOrDefault(total => total.Reason == MarkingReason.Due);
        return TypedResults.Ok(new PreviewAnswer(
            agency,
            RuleAnswer.From(outlook),
            new AmountTotal(due?.Count ?? 0, due?.Amounts ?? []),
            [.. totals.Where(total => total.Reason != MarkingReason.Due)],
            items.Items,
            items.Next));
    }
}
