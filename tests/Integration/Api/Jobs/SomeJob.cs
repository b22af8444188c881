using NodaTime;

namespace Actors.Tests.Integration.Api.Jobs;

/// <summary>A row of `jobs_log` as a test writes it.</summary>
/// <param name="Name">`jobs_log.job_name`.</param>
/// <param name="Trigger">Null for a row of another program, which has no metadata.</param>
/// <param name="Agencies">Those that have a row in the ledger under it.</param>
internal sealed record SomeJob(
    Guid Id, string Name, string Status, string? Trigger, Instant StartedAt, IReadOnlyList<Guid> Agencies)
{
    public const string Ours = "update-installment-statuses";

    public static readonly Instant Start = Instant.FromUtc(2031, 1, 1, 0, 0);

    private const string Insert =
        """
        INSERT INTO jobs_log (id, job_name, started_at, completed_at, records_updated, status, metadata)
        SELECT id, job_name, started_at, CASE WHEN status <> 'running' THEN started_at + interval '1 s' END, 1, status,
               CASE WHEN trigger <> '' THEN jsonb_build_object('trigger', trigger) END
        FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::text[], $5::text[])
          AS j (id, job_name, started_at, status, trigger)
        """;

    /// <summary>The first of an agency serves a cutoff of its own, every second one stands beside.</summary>
    private const string InsertRuns =
        """
        INSERT INTO agency_runs (job_id, agency_id, cutoff_date, cutoff_at, serves_cutoff, trigger, started_at,
          completed_at, status, timezone, overdue_cutoff_time, resolution, tzdb_version)
        SELECT job_id, agency_id, date '2020-01-01' + place::integer, now(), place % 2 = 1, 'reminder', now(), now(),
               'success', 'UTC', '17:00', 'once', 'any'
        FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS r (job_id, agency_id, place)
        """;

    public static async Task AddAsync(ListsApi api, params SomeJob[] jobs)
    {
        await api.ExecuteAsync(
            Insert,
            jobs.Select(job => job.Id).ToArray(),
            jobs.Select(job => job.Name).ToArray(),
            jobs.Select(job => job.StartedAt.ToDateTimeUtc()).ToArray(),
            jobs.Select(job => job.Status).ToArray(),
            jobs.Select(job => job.Trigger ?? "").ToArray());
        var runs = jobs.SelectMany(job => job.Agencies.Select(agency => (Job: job.Id, Agency: agency))).ToArray();
        await api.ExecuteAsync(
            InsertRuns, runs.Select(run => run.Job).ToArray(), runs.Select(run => run.Agency).ToArray());
    }

    /// <summary>A job of ours with nothing special about it.</summary>
    public static SomeJob At(Instant startedAt) =>
        new(Guid.NewGuid(), Ours, "success", "api", startedAt, []);
}
