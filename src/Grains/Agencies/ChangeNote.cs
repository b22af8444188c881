using System.Text.Json;
using Actors.Grains.Cutoffs;
using Actors.Grains.Interfaces;
using NodaTime;
using NpgsqlTypes;

namespace Actors.Grains.Agencies;

/// <summary>
/// One row of `agency_changes` that says what somebody had done to an agency here. What is done to `agencies` itself
/// the database's own triggers note.
/// </summary>
internal sealed record ChangeNote(AgencyId Agency, Instant At, string Kind, string By, string Reason, object Details)
{
    private const string Insert =
        """
        INSERT INTO agency_changes (agency_id, changed_at, changed_by, kind, reason, details)
        VALUES (@agency, @at, @by, @kind, @reason, @details)
        """;

    public static ChangeNote OfPause(AgencyId agency, Instant at, string by, string reason) =>
        new(agency, at, "paused", by, reason, new { });

    public static ChangeNote OfResume(AgencyId agency, Instant at, string by, string reason, ResumeMode mode) =>
        new(agency, at, "resumed", by, reason, new { mode = mode == ResumeMode.Skip ? "skip" : "catch_up" });

    public static ChangeNote OfUndo(
        AgencyId agency, Instant at, string by, string reason, Guid agencyRun, int restored, int leftOut) => new(
        agency, at, "run_undone", by, reason, new { agency_run_id = agencyRun, restored, left_out = leftOut });

    /// <summary>Writes the note in the transaction that does what it says.</summary>
    public async Task WriteAsync(WatermarkTransaction transaction, CancellationToken cancellationToken)
    {
        await using var command = transaction.CreateCommand(Insert);
        command.Parameters.AddWithValue("agency", Agency.Value);
        command.Parameters.AddWithValue("at", At);
        command.Parameters.AddWithValue("by", By);
        command.Parameters.AddWithValue("kind", Kind);
        command.Parameters.AddWithValue("reason", Reason);
        command.Parameters.AddWithValue("details", NpgsqlDbType.Jsonb, JsonSerializer.Serialize(Details));
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
