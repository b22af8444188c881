using System.Globalization;
using System.Security.Claims;
using Actors.Api.Access;
using Actors.Api.Errors;
using Actors.Api.Requests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;

namespace Actors.Api.Events;

/// <summary>`GET /api/events`: what happens, as it happens, as server-sent events.</summary>
internal static class Events
{
    private const string LastEventId = "Last-Event-ID";
    private const int RetryAfterSeconds = 30;

    public static void MapEvents(this ApiRoutes api) => api.Reads
        .MapGet("/events", StreamAsync)
        .Takes(new QueryParameter(
            "since", QueryKind.Text,
            "The id of the last event that was seen; left out, only what happens from now on is sent. The header "
            + $"{LastEventId}, which browsers send by themselves when they connect again, counts before it.")
        {
            MaxLength = 19,
        })
        .WithName("streamEvents")
        .WithSummary("Sends what happens as it happens: runs, agencies that are late or failed, alerts, changes.")
        .WithDescription(
            "A process holds some hundred streams open in all (503 `too-many-streams`), and a few of one caller "
            + "(429 `too-many-own-streams`): one stream has everything that its caller may see.")
        .WithTags("Events")
        .ReadsHeader(LastEventId, "The id of the last event that was seen; see `since`.")
        .Produces<EventAnswer>(StatusCodes.Status200OK, "text/event-stream")
        .IsNotCountedAtOnce();

    private static async Task<IResult> StreamAsync(
        HttpContext context, ClaimsPrincipal user,
        [FromServices] EventPlaces places, [FromServices] EventStore store, [FromServices] EventStream stream)
    {
        if (!TryReadPosition(context, out var asked, out var refusal)) return refusal!;
        var caller = Caller.Of(user);
        if (places.TryEnter(caller.Id, out var isAllTheirs) is not { } place)
        {
            context.Response.Headers.RetryAfter = RetryAfterSeconds.ToString(CultureInfo.InvariantCulture);
            return (isAllTheirs ? TooManyOwnStreams : TooManyStreams).ToProblem();
        }

        context.Response.RegisterForDispose(place);
        // Asked before the answer begins, so that a database that is away is still a proper error.
        var span = await store.NumberAsync(context.RequestAborted);
        var isReset = asked is { } position && !span.Continues(position);
        // Proxies that gather what they pass on are told not to.
        context.Response.Headers["X-Accel-Buffering"] = "no";
        return TypedResults.ServerSentEvents(stream.ReadAsync(
            context, caller, isReset ? span.Last : asked ?? span.Last, isReset, context.RequestAborted));
    }

    private static bool TryReadPosition(HttpContext context, out long? position, out IResult? refusal)
    {
        position = null;
        refusal = null;
        var header = context.Request.Headers[LastEventId].ToString();
        var (name, text) = header.Length > 0 ? (LastEventId, header) : ("since", context.QueryOf().Text("since"));
        if (text is null) return true;
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            position = number;
            return true;
        }

        refusal = ApiError.InvalidParameter.ToProblem(("errors", new Dictionary<string, string[]>
        {
            [name] = [$"'{PlainText.Shown(text)}' is no id of an event: those are whole numbers."],
        }));
        return false;
    }

    private static readonly ApiError TooManyStreams = new(
        503, "too-many-streams", "Too many streams",
        "This process holds as many streams of events open as it may. Try again later, or close one.");

    private static readonly ApiError TooManyOwnStreams = new(
        429, "too-many-own-streams", "Too many streams",
        "This caller holds as many streams of events open as one may. Close one, or follow all events by one stream; "
        + "the Retry-After header says after how many seconds to try again.");
}
