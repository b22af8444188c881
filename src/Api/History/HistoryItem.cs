using System.Text.Json;
using Actors.Api.Agencies;
using Actors.Api.Answers;

namespace Actors.Api.History;

/// <summary>One thing that happened to an agency.</summary>
/// <param name="Kind">
/// `run`: a row of its ledger; or `created`, `settingsChanged`, `paused`, `resumed`, `runUndone`, `deleted`.
/// </param>
/// <param name="At">When; of a run, when it ended.</param>
/// <param name="By">Who did it, or asked for it; null for a run that nobody asked for.</param>
/// <param name="Reason">Why, in their words.</param>
/// <param name="Run">The run; null for what is none.</param>
/// <param name="Details">
/// What was changed, as the database keeps it: of settings, `from` and `to` by column. Null for a run.
/// </param>
public sealed record HistoryItem(
    string Kind, WallTime At, string? By, string? Reason, LedgerItem? Run, JsonElement? Details)
{
    /// <summary>
    /// What it is ordered by; not part of the answer: its instant, 0 for a change and 1 for a run (at one instant the
    /// change is the later), and its id among these.
    /// </summary>
    internal object?[] Keys { get; init; } = [];

    internal static IReadOnlyList<CsvColumn<HistoryItem>> CsvColumns { get; } =
    [
        new("at", item => item.At.Instant),
        new("atLocal", item => item.At.Local),
        new("timezone", item => item.At.Timezone),
        new("kind", item => item.Kind),
        new("by", item => item.By),
        new("reason", item => item.Reason),
        new("agencyRunId", item => item.Run?.Id),
        new("jobId", item => item.Run?.JobId),
        new("cutoffDate", item => item.Run?.CutoffDate),
        new("cutoff", item => item.Run?.Cutoff?.Instant),
        new("servesCutoff", item => item.Run?.ServesCutoff),
        new("trigger", item => item.Run?.Trigger),
        new("status", item => item.Run?.Status),
        new("recordsUpdated", item => item.Run?.RecordsUpdated),
        new("lateBySeconds", item => item.Run?.LateBySeconds),
        new("error", item => item.Run?.Error),
        new("undoneAt", item => item.Run?.Undone?.At),
        new("details", item => item.Details?.GetRawText()),
    ];
}
