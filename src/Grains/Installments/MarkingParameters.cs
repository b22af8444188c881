using Actors.Grains.Cutoffs;
using Actors.Grains.Jobs;
using NodaTime;
using Npgsql;
using NpgsqlTypes;

namespace Actors.Grains.Installments;

/// <summary>A <see cref="MarkingBatch"/> as the parallel arrays that <see cref="MarkingSql"/> unnests.</summary>
internal static class MarkingParameters
{
    /// <summary>
    /// Up to so many installments for each agency of a batch are few: to read them costs less than to look at the
    /// agencies' plans, of which there are more.
    /// </summary>
    private const int FewForAnAgency = 4;

    public static NpgsqlParameter Now(Instant? clockReplacement) => new()
    {
        ParameterName = "now",
        NpgsqlDbType = NpgsqlDbType.TimestampTz,
        Value = clockReplacement is { } now ? now : DBNull.Value,
    };

    public static void AddTo(NpgsqlParameterCollection parameters, MarkingBatch batch, NpgsqlParameter now)
    {
        var agencies = batch.Agencies;
        Add(parameters, "agencies", NpgsqlDbType.Uuid, agencies, a => a.Plan.State.Agency.Value);
        Add(parameters, "first_dates", NpgsqlDbType.Date, agencies, FirstDate);
        Add(parameters, "through_dates", NpgsqlDbType.Date, agencies, a => a.Plan.ThroughDate);
        Add(parameters, "last_dates", NpgsqlDbType.Date, agencies, a => a.Plan.WatermarkAfter.Date);
        Add(parameters, "last_ats", NpgsqlDbType.TimestampTz, agencies, a => a.Plan.WatermarkAfter.At);
        Add(parameters, "next_dates", NpgsqlDbType.Date, agencies, a => a.Plan.Next.Date);
        Add(parameters, "next_ats", NpgsqlDbType.TimestampTz, agencies, a => a.Plan.Next.At);

        var rows = batch.Rows;
        Add(parameters, "run_agencies", NpgsqlDbType.Uuid, rows, r => r.Agency.Agency.Value);
        Add(parameters, "run_jobs", NpgsqlDbType.Uuid, rows, r => r.Job.Id.Value);
        Add(parameters, "run_triggers", NpgsqlDbType.Text, rows, r => RunWords.Of(r.Trigger));
        Add(parameters, "run_dates", NpgsqlDbType.Date, rows, r => r.Run.Cutoff.Date);
        Add(parameters, "run_ats", NpgsqlDbType.TimestampTz, rows, r => r.Run.Cutoff.At);
        Add(parameters, "run_serves", NpgsqlDbType.Boolean, rows, r => r.Run.Serves);
        Add(parameters, "run_late_by", NpgsqlDbType.Interval, rows, r => r.LateBy(batch.Now));
        Add(parameters, "run_resolutions", NpgsqlDbType.Text, rows, r => RunWords.Of(r.Run.Cutoff.Resolution));
        Add(parameters, "run_timezones", NpgsqlDbType.Text, rows, r => r.Agency.Timezone);
        Add(parameters, "run_times", NpgsqlDbType.Time, rows, r => r.Agency.CutoffTime);
        Add(parameters, "run_requested_by", NpgsqlDbType.Text, rows, r => r.Request.RequestedBy);
        Add(parameters, "run_reasons", NpgsqlDbType.Text, rows, r => r.Request.Reason);

        parameters.Add(new NpgsqlParameter("latest_date", NpgsqlDbType.Date)
        {
            Value = agencies.Max(a => a.Plan.ThroughDate) is { } latest ? latest : DBNull.Value,
        });
        parameters.Add(new NpgsqlParameter("few", NpgsqlDbType.Bigint)
        {
            Value = (long)FewForAnAgency * agencies.Count,
        });
        parameters.Add(new NpgsqlParameter("started_at", NpgsqlDbType.TimestampTz) { Value = batch.Now });
        parameters.Add(new NpgsqlParameter("tzdb_version", NpgsqlDbType.Text) { Value = ZoneCatalogue.TzdbVersion });
        parameters.Add(now);
    }

    /// <summary>
    /// The statements that only agencies need which failed before, to run when the watermarks have moved; none on an
    /// ordinary day.
    /// </summary>
    public static void AddFailureRepairs(NpgsqlBatch batch, MarkingBatch marking, NpgsqlParameter now)
    {
        // Also where no date is unserved: an agency whose settings were corrected before its cutoff is well again.
        var failed = marking.Agencies.Where(a => a.Plan.State.FailedAttempts > 0).ToArray();
        if (failed.Length == 0) return;

        var forget = new NpgsqlBatchCommand(MarkingSql.ForgetFailures);
        Add(forget.Parameters, "failed_agencies", NpgsqlDbType.Uuid, failed, a => a.Plan.State.Agency.Value);
        batch.BatchCommands.Add(forget);

        var resolve = new NpgsqlBatchCommand(MarkingSql.ResolveFailures);
        Add(resolve.Parameters, "failed_agencies", NpgsqlDbType.Uuid, failed, a => a.Plan.State.Agency.Value);
        resolve.Parameters.Add(now);
        batch.BatchCommands.Add(resolve);
    }

    private static LocalDate? FirstDate(PlannedAgency agency) =>
        agency.Plan.Runs.Count == 0 ? null : agency.Plan.Runs[0].Cutoff.Date;

    private static void Add<TRow, TValue>(
        NpgsqlParameterCollection parameters, string name, NpgsqlDbType type, IReadOnlyList<TRow> rows,
        Func<TRow, TValue> value) =>
        parameters.Add(new NpgsqlParameter(name, NpgsqlDbType.Array | type) { Value = rows.Select(value).ToArray() });
}
