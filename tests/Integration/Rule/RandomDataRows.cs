using System.Text.Json;
using Npgsql;
using NpgsqlTypes;

namespace Actors.Tests.Integration.Rule;

/// <summary>A <see cref="RandomDataSet"/> as rows of the tables.</summary>
internal static class RandomDataRows
{
    private const string InsertSql =
        """
        INSERT INTO agencies (id, name, timezone, overdue_cutoff_time)
        SELECT id, 'any', timezone, overdue_cutoff_time
        FROM jsonb_to_recordset($1) AS a (id uuid, timezone text, overdue_cutoff_time time);
        """;

    private const string WatermarksSql =
        """
        UPDATE agency_cutoffs c
        SET last_cutoff_date = a.last_cutoff_date, last_cutoff_at = a.last_cutoff_at,
            next_cutoff_date = a.next_cutoff_date, next_cutoff_at = a.next_cutoff_at,
            settings_changed_at = a.settings_changed_at, paused_at = a.paused_at, failed_attempts = a.failed_attempts,
            last_error = CASE WHEN a.failed_attempts > 0 THEN 'it failed' END
        FROM jsonb_to_recordset($1) AS a (
          id uuid, last_cutoff_date date, last_cutoff_at timestamptz, next_cutoff_date date, next_cutoff_at timestamptz,
          settings_changed_at timestamptz, paused_at timestamptz, failed_attempts int)
        WHERE c.agency_id = a.id
        """;

    private const string FailuresSql =
        """
        WITH failed AS (
          SELECT * FROM jsonb_to_recordset($1) AS a (
            id uuid, timezone text, overdue_cutoff_time time, failed_attempts int, failed_date date,
            failed_serves boolean)
          WHERE failed_attempts > 0
        ), alerted AS (
          INSERT INTO alerts (kind, severity, dedup_key, agency_id, message, raised_at)
          SELECT 'agency_failed', 'critical', 'agency_failed:' || id, id, 'it failed', '2023-01-01' FROM failed
        )
        INSERT INTO agency_runs (job_id, agency_id, cutoff_date, serves_cutoff, trigger, started_at, completed_at,
          status, timezone, overdue_cutoff_time, tzdb_version, error_message)
        SELECT gen_random_uuid(), id, failed_date, failed_serves, 'reminder', '2023-01-01', '2023-01-01', 'failed',
          timezone, overdue_cutoff_time, '1', 'it failed'
        FROM failed
        """;

    private const string PlansSql =
        """
        INSERT INTO payment_plans (id, agency_id, status)
        SELECT * FROM jsonb_to_recordset($1) AS p (id uuid, agency_id uuid, status text)
        """;

    private const string InstallmentsSql =
        """
        INSERT INTO installments (id, payment_plan_id, student_due_date, status)
        SELECT * FROM jsonb_to_recordset($1) AS i (id uuid, payment_plan_id uuid, student_due_date date, status text)
        """;

    /// <summary>Puts the data in, by a connection of the database's owner.</summary>
    public static async Task FillAsync(NpgsqlDataSource owner, RandomDataSet data)
    {
        await using var batch = owner.CreateBatch();
        Add(InsertSql, data.Agencies);
        Add(WatermarksSql, data.Agencies);
        Add(FailuresSql, data.Agencies);
        Add(PlansSql, data.Plans);
        Add(InstallmentsSql, data.Installments);
        await batch.ExecuteNonQueryAsync();

        void Add<T>(string sql, T rows) => batch.BatchCommands.Add(new NpgsqlBatchCommand(sql)
        {
            Parameters = { new() { Value = JsonSerializer.Serialize(rows), NpgsqlDbType = NpgsqlDbType.Jsonb } },
        });
    }
}
