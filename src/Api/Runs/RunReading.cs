using Actors.Api.Access;
using Actors.Grains.Interfaces;
using NodaTime;
using Npgsql;

namespace Actors.Api.Runs;

/// <summary>What the database has of runs that were asked for.</summary>
internal sealed class RunReading(CallerDatabase database)
{
    /// <summary>
    /// The API where it asks in its own name: it must find what it wrote itself, also where the caller may not read the
    /// ledger.
    /// </summary>
    private static readonly Caller Itself = new("actors-api", "actors-api", CallerRole.Reader, "{}");

    /// <summary>The longest time between a request and the first row that its run writes.</summary>
    private const string Recent = "15 minutes";

    private const string Find =
        $"""
        SELECT r.requested_by, r.reason, r.requested_at, r.completed_at, r.leased_until > clock_timestamp(),
               r.requested_at > clock_timestamp() - interval '{Recent}', r.answer_status, r.answer_body,
               j.status::text, j.completed_at, coalesce(j.records_updated, 0), j.error_message
        FROM run_requests AS r
        LEFT JOIN jobs_log AS j ON j.id = r.id
        WHERE r.id = $1
        """;

    private const string Ledger =
        """
        SELECT r.cutoff_date, r.cutoff_at, r.serves_cutoff, r.records_updated, r.status = 'failed', r.error_message,
               (SELECT c.next_cutoff_at FROM agency_cutoffs AS c WHERE c.agency_id = r.agency_id)
        FROM agency_runs AS r
        WHERE r.job_id = $1 AND r.agency_id = $2
          AND (NOT $3 OR EXISTS (SELECT FROM jobs_log AS j WHERE j.id = $1 AND j.status <> 'running'))
        ORDER BY r.cutoff_date, r.completed_at
        """;

    /// <summary>The run, if the caller may see it; null otherwise.</summary>
    public async Task<RunAnswer?> FindAsync(Caller caller, Guid run, CancellationToken cancellationToken)
    {
        await using var session = await database.BeginAsync(caller, CallerAccess.Read, cancellationToken);
        var found = await session.ReadAsync(
            Find,
            row => new RequestedRun(
                run, row.GetString(0), TextOrNull(row, 1), row.GetFieldValue<Instant>(2), InstantOrNull(row, 3),
                row.GetBoolean(4), row.GetBoolean(5),
                row.IsDBNull(6) ? null : new KeptAnswer(row.GetInt32(6), row.GetString(7)),
                row.IsDBNull(8) ? null
                    : new LoggedRun(row.GetString(8), InstantOrNull(row, 9), row.GetInt32(10), TextOrNull(row, 11))),
            cancellationToken,
            new NpgsqlParameter { Value = run });
        return found.Count == 0 ? null : found[0].Decide(caller.Role != CallerRole.Trigger);
    }

    /// <summary>What the ledger says of an agency's run; null where it says nothing under this job.</summary>
    /// <param name="job">The run.</param>
    /// <param name="agency">Its one agency.</param>
    /// <param name="onlyIfClosed">Null too while the run may still go on.</param>
    public async Task<AgencyRunResult?> LedgerOfAsync(Guid job, Guid agency, bool onlyIfClosed)
    {
        await using var session = await database.BeginAsync(Itself, CallerAccess.Read, CancellationToken.None);
        var rows = await session.ReadAsync(
            Ledger,
            row => (
                Served: row.GetBoolean(4) ? (ServedCutoff?)null : new ServedCutoff(
                    row.GetFieldValue<LocalDate>(0), row.GetFieldValue<Instant>(1), row.GetBoolean(2), row.GetInt32(3)),
                Error: TextOrNull(row, 5),
                Next: InstantOrNull(row, 6)),
            CancellationToken.None,
            new NpgsqlParameter { Value = job }, new NpgsqlParameter { Value = agency },
            new NpgsqlParameter { Value = onlyIfClosed });
        if (rows.Count == 0) return null;

        var error = rows.Select(row => row.Error).FirstOrDefault(sentence => sentence is not null);
        return new AgencyRunResult(
            new AgencyId(agency),
            error is null ? AgencyRunOutcome.UpToDate : AgencyRunOutcome.Failed,
            new JobId(job),
            [.. rows.Where(row => row.Served is not null).Select(row => row.Served!.Value)],
            rows[0].Next,
            error);
    }

    private static string? TextOrNull(NpgsqlDataReader row, int column) =>
        row.IsDBNull(column) ? null : row.GetString(column);

    private static Instant? InstantOrNull(NpgsqlDataReader row, int column) =>
        row.IsDBNull(column) ? null : row.GetFieldValue<Instant>(column);
}
