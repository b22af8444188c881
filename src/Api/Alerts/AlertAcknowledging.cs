using System.Security.Claims;
using System.Text;
using Actors.Api.Access;
using Actors.Api.Requests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Npgsql;
using NpgsqlTypes;

namespace Actors.Api.Alerts;

/// <summary>
/// `POST /api/alerts/{id}/acknowledge`: says that somebody knows. The first one who says so stands: sent again, by
/// whomever, it is answered with what stands. An alert whose problem is gone can be acknowledged too, for the record;
/// it stays resolved. A problem that comes back after that is a new alert, of which nobody knows yet.
/// </summary>
internal static class AlertAcknowledging
{
    /// <summary>
    /// Of two at once the second waits for the first, and then finds it acknowledged. Under a policy that lets the
    /// caller change nothing it finds no row.
    /// </summary>
    private const string Sql =
        """
        UPDATE alerts
        SET acknowledged_at = clock_timestamp(), acknowledged_by = actors.caller_name(), acknowledged_note = @note
        WHERE id = @alert AND acknowledged_at IS NULL
        """;

    public static void MapAlertAcknowledging(this ApiRoutes api) => api.Admins
        .MapPost("/alerts/{id}/acknowledge", AcknowledgeAsync)
        .WithName("acknowledgeAlert")
        .WithSummary("Says that somebody knows of an alert, with a note if there is something to say.")
        .WithTags("Alerts")
        .Accepts<AcknowledgeBody>(isOptional: true, "application/json")
        .Fails(StatusCodes.Status404NotFound);

    private static async Task<Results<Ok<AlertItem>, ProblemHttpResult>> AcknowledgeAsync(
        string id, HttpContext context, ClaimsPrincipal user, [FromServices] CallerDatabase database)
    {
        if (!Guid.TryParseExact(id, "D", out var alert)) return AlertDetails.NotFound(id);
        var (note, refusal) = await AcknowledgeBody.ReadAsync(context.Request);
        if (refusal is not null) return refusal;

        var cancellationToken = context.RequestAborted;
        await using var session = await database.BeginAsync(Caller.Of(user), CallerAccess.Write, cancellationToken);
        await using (var command = session.CreateCommand(Sql))
        {
            command.Parameters.Add(new NpgsqlParameter("alert", alert));
            command.Parameters.Add(new NpgsqlParameter("note", NpgsqlDbType.Text)
            {
                Value = note is null ? DBNull.Value : note,
            });
            await command.ExecuteNonQueryAsync(cancellationToken);
        }

        var found = await AlertDetails.ReadAsync(session, alert, cancellationToken);
        if (found is null) return AlertDetails.NotFound(id);
        await session.CommitAsync(cancellationToken);
        return TypedResults.Ok(found);
    }
}

/// <summary>The body of an acknowledgement; it may be left out.</summary>
/// <param name="Note">What there is to say, at most 1,000 characters, on one line or several.</param>
public sealed record AcknowledgeBody(string? Note = null)
{
    internal const int MaxLength = 1_000;

    /// <summary>Reads a note, null where there is none, or says what is wrong with it.</summary>
    internal static async Task<(string? Note, ProblemHttpResult? Refusal)> ReadAsync(HttpRequest request)
    {
        var (json, malformed) = await JsonBody.ReadAsync(request, "note");
        if (json is null) return (null, malformed);
        var note = json.Text("note")?.Trim();
        if (note is not null && Advice(note) is { } advice) json.Refuse("note", advice);
        return (string.IsNullOrEmpty(note) ? null : note, json.Refusal());
    }

    private static string? Advice(string note)
    {
        var length = note.EnumerateRunes().Count();
        if (length > MaxLength) return $"The note is {length} characters long; shorten it to at most {MaxLength}.";
        return PlainText.IsStorable(note)
            && !note.EnumerateRunes().Any(rune => Rune.IsControl(rune) && rune.Value is not ('\n' or '\r' or '\t'))
                ? null
                : "The note has a control character; leave out all but tabs and line breaks.";
    }
}
