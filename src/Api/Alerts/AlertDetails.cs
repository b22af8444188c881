using System.Security.Claims;
using Actors.Api.Access;
using Actors.Api.Errors;
using Actors.Api.Requests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Npgsql;

namespace Actors.Api.Alerts;

/// <summary>`GET /api/alerts/{id}`: one alert.</summary>
internal static class AlertDetails
{
    private const string Sql = $"SELECT {AlertItem.Columns} {AlertItem.Source} WHERE l.id = @alert";

    public static void MapAlertDetails(this ApiRoutes api) => api.Reads
        .MapGet("/alerts/{id}", AnswerAsync)
        .WithName("getAlert")
        .WithSummary("One alert.")
        .WithTags("Alerts")
        .Fails(StatusCodes.Status404NotFound);

    /// <summary>The same words for what is not there and for what the caller may not see.</summary>
    internal static ProblemHttpResult NotFound(string id) => new ApiError(
        404, "alert-not-found", "Alert not found", $"No alert has the id {PlainText.Shown(id)}.").ToProblem();

    /// <summary>The alert as the caller sees it; null where they see none.</summary>
    internal static async Task<AlertItem?> ReadAsync(
        CallerSession session, Guid alert, CancellationToken cancellationToken) =>
        (await session.ReadAsync(Sql, AlertItem.Read, cancellationToken, new NpgsqlParameter("alert", alert)))
        .SingleOrDefault();

    private static async Task<Results<Ok<AlertItem>, ProblemHttpResult>> AnswerAsync(
        string id, HttpContext context, ClaimsPrincipal user, [FromServices] CallerDatabase database)
    {
        if (!Guid.TryParseExact(id, "D", out var alert)) return NotFound(id);
        var cancellationToken = context.RequestAborted;
        await using var session = await database.BeginAsync(Caller.Of(user), CallerAccess.Read, cancellationToken);
        return await ReadAsync(session, alert, cancellationToken) is { } found ? TypedResults.Ok(found) : NotFound(id);
    }
}
