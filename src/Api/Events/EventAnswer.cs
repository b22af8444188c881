using System.Text.Json;
using System.Text.Json.Serialization;
using NodaTime;

namespace Actors.Api.Events;

/// <summary>
/// What happened, as the data of one server-sent event. The event's name is its kind: `run_started`, `run_finished`,
/// `agency_failed`, `agencies_late`, `alert_raised`, `alert_acknowledged`, `alert_resolved`, `agency_changed`,
/// `agencies_changed`; its id is where to go on after it. Without data of their own: `ready` (from here on you miss
/// nothing), `reset` (you missed something: load anew, and go on from here) and `heartbeat`.
/// </summary>
/// <param name="At">When it was written down.</param>
/// <param name="AgencyId">The agency that it is about.</param>
/// <param name="JobId">The run that it is about, or is part of.</param>
/// <param name="AlertId">The alert that it is about.</param>
/// <param name="Details">What else there is to know, by kind.</param>
public sealed record EventAnswer(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Instant? At = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Guid? AgencyId = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Guid? JobId = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Guid? AlertId = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] JsonElement? Details = null)
{
    internal const string Ready = "ready";
    internal const string Reset = "reset";
    internal const string Heartbeat = "heartbeat";
}

/// <summary>A row of `events`.</summary>
internal sealed record NotedEvent(long Position, string Kind, EventAnswer Answer);
