using Actors.Api.Access;
using Actors.Api.Agencies;
using Actors.Api.Answers;
using Npgsql;

namespace Actors.Api.Jobs;

/// <summary>One agency's row of the ledger in a run.</summary>
/// <param name="AgencyId">The agency.</param>
/// <param name="AgencyName">Its name of now; null where it was deleted.</param>
/// <param name="Run">What was done for it; its times are on the wall clock that it had then.</param>
public sealed record JobAgencyItem(Guid AgencyId, string? AgencyName, LedgerItem Run)
{
    /// <summary>The columns that <see cref="Read"/> takes, before those of the ledger.</summary>
    internal const string Columns = "r.agency_id, (SELECT a.name FROM agencies a WHERE a.id = r.agency_id)";

    internal static IReadOnlyList<CsvColumn<JobAgencyItem>> CsvColumns { get; } =
    [
        new("agencyId", row => row.AgencyId),
        new("agencyName", row => row.AgencyName),
        new("agencyRunId", row => row.Run.Id),
        new("cutoffDate", row => row.Run.CutoffDate),
        new("cutoff", row => row.Run.Cutoff?.Instant),
        new("cutoffLocal", row => row.Run.Cutoff?.Local),
        new("timezone", row => row.Run.Timezone),
        new("servesCutoff", row => row.Run.ServesCutoff),
        new("trigger", row => row.Run.Trigger),
        new("requestedBy", row => row.Run.RequestedBy),
        new("startedAt", row => row.Run.StartedAt),
        new("completedAt", row => row.Run.CompletedAt),
        new("lateBySeconds", row => row.Run.LateBySeconds),
        new("status", row => row.Run.Status),
        new("recordsUpdated", row => row.Run.RecordsUpdated),
        new("error", row => row.Run.Error),
        new("undoneAt", row => row.Run.Undone?.At),
    ];

    internal static JobAgencyItem Read(NpgsqlDataReader reader) =>
        new(reader.GetGuid(0), reader.TextOrNull(1), LedgerItem.Read(reader, 2));
}
