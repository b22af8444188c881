using System.Text.Json.Nodes;
using Actors.Api.Access;
using Actors.Api.Answers;
using NodaTime;
using Npgsql;

namespace Actors.Api.Alerts;

/// <summary>Something that people must know: one problem, from when it was found until it was found gone.</summary>
/// <param name="Id">`alerts.id`.</param>
/// <param name="Kind">`agencyFailed`, `cutoffLate`, `runFailed` or `runStuck`.</param>
/// <param name="Severity">`info`, `warning` or `critical`.</param>
/// <param name="State">
/// `resolved` where the problem is gone; else `acknowledged` where somebody has said that they know; else `open`.
/// </param>
/// <param name="Message">What is wrong, for a person.</param>
/// <param name="AgencyId">The one agency that it is about; null where it is about several or none.</param>
/// <param name="AgencyName">Its name of now; null where it was deleted.</param>
/// <param name="JobId">The run that it is about; null where it is about none.</param>
/// <param name="Details">What programs may want to know.</param>
/// <param name="RaisedAt">
/// When the problem was found. This and the other instants are on the wall clock of the agency, or in UTC.
/// </param>
/// <param name="Acknowledged">Who knows of it; null where nobody has said so.</param>
/// <param name="ResolvedAt">When the problem was found gone; null while it lasts.</param>
public sealed record AlertItem(
    Guid Id,
    string Kind,
    string Severity,
    string State,
    string Message,
    Guid? AgencyId,
    string? AgencyName,
    Guid? JobId,
    JsonNode? Details,
    WallTime RaisedAt,
    Acknowledgement? Acknowledged,
    WallTime? ResolvedAt)
{
    /// <summary>The columns that <see cref="Read"/> takes, in its order.</summary>
    internal const string Columns =
        """
        l.id, l.kind, l.severity, l.message, l.agency_id, a.name, a.timezone, l.job_id, l.details::text, l.raised_at,
        l.acknowledged_at, l.acknowledged_by, l.acknowledged_note, l.resolved_at
        """;

    /// <summary>Where they come from.</summary>
    internal const string Source = "FROM alerts l LEFT JOIN agencies a ON a.id = l.agency_id";

    internal static IReadOnlyList<CsvColumn<AlertItem>> CsvColumns { get; } =
    [
        new("id", alert => alert.Id),
        new("kind", alert => alert.Kind),
        new("severity", alert => alert.Severity),
        new("state", alert => alert.State),
        new("message", alert => alert.Message),
        new("agencyId", alert => alert.AgencyId),
        new("agencyName", alert => alert.AgencyName),
        new("jobId", alert => alert.JobId),
        new("raisedAt", alert => alert.RaisedAt.Instant),
        new("raisedAtLocal", alert => alert.RaisedAt.Local),
        new("timezone", alert => alert.RaisedAt.Timezone),
        new("acknowledgedAt", alert => alert.Acknowledged?.At.Instant),
        new("acknowledgedBy", alert => alert.Acknowledged?.By),
        new("acknowledgedNote", alert => alert.Acknowledged?.Note),
        new("resolvedAt", alert => alert.ResolvedAt?.Instant),
    ];

    internal static AlertItem Read(NpgsqlDataReader reader)
    {
        var timezone = reader.TextOrNull(6) ?? "UTC";
        var acknowledged = reader.ValueOrNull<Instant>(10) is { } at
            ? new Acknowledgement(WallTime.At(at, timezone), reader.TextOrNull(11), reader.TextOrNull(12))
            : null;
        var resolvedAt = WallTime.At(reader.ValueOrNull<Instant>(13), timezone);
        return new AlertItem(
            reader.GetGuid(0),
            DatabaseWord.InAnswers(reader.GetString(1)),
            reader.GetString(2),
            (acknowledged, resolvedAt) switch
            {
                (_, not null) => "resolved",
                (not null, _) => "acknowledged",
                _ => "open",
            },
            reader.GetString(3),
            reader.ValueOrNull<Guid>(4),
            reader.TextOrNull(5),
            reader.ValueOrNull<Guid>(7),
            AlertDetailsJson.InAnswers(JsonNode.Parse(reader.GetString(8))),
            WallTime.At(reader.GetFieldValue<Instant>(9), timezone),
            acknowledged,
            resolvedAt);
    }
}

/// <summary>That somebody knows of an alert.</summary>
/// <param name="At">Since when.</param>
/// <param name="By">Who.</param>
/// <param name="Note">What they said about it; null where they said nothing.</param>
public sealed record Acknowledgement(WallTime At, string? By, string? Note);
