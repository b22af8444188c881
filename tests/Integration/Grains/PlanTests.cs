using System.Text.RegularExpressions;
using Actors.Grains;
using Actors.Grains.Agencies;
using Actors.Grains.Cutoffs;
using Actors.Grains.Installments;
using Actors.Grains.Interfaces;
using Actors.Grains.Jobs;
using Actors.Tests.Support;
using NodaTime;
using Npgsql;
using NpgsqlTypes;
using Xunit;

namespace Actors.Tests.Integration.Grains;

/// <summary>
/// Defect 8: nothing on the daily path grows with history. The plans are PostgreSQL's own, over 1,000 agencies with
/// 500,000 installments, of which few are pending.
/// </summary>
public sealed partial class PlanTests(PlanTests.Years years) : IClassFixture<PlanTests.Years>
{
    private static readonly Instant Now = GrainWorld.At("2031-03-01T17:00:00Z");

    [Theory]
    [InlineData(false, 1)]
    [InlineData(false, 256)]
    [InlineData(true, 1)]
    [InlineData(true, 256)]
    public async Task Defect_8_marking_reads_what_is_pending_and_not_history(bool leavesOutLocked, int agencies)
    {
        var plan = await ExplainMarkingAsync(
            leavesOutLocked ? MarkingSql.MarkUnlocked : MarkingSql.Mark, agencies);

        Assert.False(plan.Any(line => ScanOfHistory().IsMatch(line)), string.Join('\n', plan));
    }

    [Theory]
    [InlineData(WatermarkTransaction.Lock)]
    [InlineData(WatermarkTransaction.Read)]
    [InlineData(MarkingSql.Mark)]
    public async Task A_batch_finds_its_watermarks_by_their_keys_and_does_not_read_all(string sql)
    {
        var plan = await ExplainMarkingAsync(sql, agencies: 16);

        Assert.False(
            plan.Any(line => line.Contains("Seq Scan on agency_cutoffs", StringComparison.Ordinal)),
            string.Join('\n', plan));
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(4, false)]
    [InlineData(5, true)]
    public async Task Plans_are_looked_at_only_where_more_is_due_than_few_for_each_agency(int due, bool looksAtPlans)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var batch = await BatchAsync(agencies: 1);
        await using var connection = await years.Source.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using var make = new NpgsqlCommand(
            """
            UPDATE installments SET status = 'pending' WHERE id IN (
              SELECT i.id FROM installments i JOIN payment_plans p ON p.id = i.payment_plan_id
              WHERE p.agency_id = @agency AND i.status = 'paid' AND i.student_due_date < '2031-03-01' LIMIT @due)
            """, connection);
        var agency = batch.Agencies[0].Plan.State.Agency.Value;
        make.Parameters.AddWithValue("agency", agency);
        make.Parameters.AddWithValue("due", due);
        await make.ExecuteNonQueryAsync(cancellationToken);

        await using var mark = new NpgsqlCommand(
            "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) " + MarkingSql.Mark, connection);
        MarkingParameters.AddTo(mark.Parameters, batch, MarkingParameters.Now(Now));
        var plan = await ReadPlanAsync(mark);
        await using var read = new NpgsqlCommand(
            "SELECT records_updated FROM agency_runs WHERE agency_id = $1 AND cutoff_date = '2031-03-01'", connection)
        {
            Parameters = { new NpgsqlParameter { Value = agency } },
        };

        Assert.Equal(due, await read.ExecuteScalarAsync(cancellationToken));
        var looks = plan.Where(line => ScanOfPlans().IsMatch(line)).ToArray();
        Assert.NotEmpty(looks);
        Assert.True(
            looksAtPlans == looks.Any(line => !line.Contains("never executed", StringComparison.Ordinal)),
            string.Join('\n', plan));
    }

    [Theory]
    [InlineData(SweepStore.FindWork)]
    [InlineData(SweepStore.AlertLate)]
    [InlineData(SweepStore.ResolveProblems)]
    public async Task Defect_8_a_sweep_reads_watermarks_and_not_history(string sql)
    {
        await using var command = years.Source.CreateCommand("EXPLAIN " + sql);
        command.Parameters.AddWithValue("now", Now);
        command.Parameters.AddWithValue("late_after", NpgsqlDbType.Interval, Duration.FromSeconds(10));
        command.Parameters.AddWithValue("limit", 2_560);
        command.Parameters.AddWithValue("under_way", new[] { Guid.NewGuid() });
        command.Parameters.AddWithValue("job_name", JobNames.UpdateInstallmentStatuses);

        await AssertNoHistoryIsReadAsync(command);
    }

    [Theory]
    [InlineData(UndoSql.Lock)]
    [InlineData(UndoSql.Undo)]
    public async Task Defect_8_an_undo_reads_one_run_and_the_later_ones_of_its_agency(string sql)
    {
        await using var command = years.Source.CreateCommand("EXPLAIN " + sql);
        command.Parameters.AddWithValue("agency", Guid.NewGuid());
        command.Parameters.AddWithValue("run", Guid.NewGuid());
        command.Parameters.AddWithValue("at", Now);
        command.Parameters.AddWithValue("by", "any");
        command.Parameters.AddWithValue("reason", "any");
        command.Parameters.AddWithValue("listed", UndoResult.LeftOutAtMost);

        await AssertNoHistoryIsReadAsync(command);
    }

    [Theory]
    [InlineData(HistoryStore.DeleteLedgerRows)]
    [InlineData(HistoryStore.DeleteJobs)]
    public async Task Defect_8_removing_what_is_too_old_reads_what_is_too_old(string sql)
    {
        await using var command = years.Source.CreateCommand("EXPLAIN " + sql);
        HistoryStore.AddParameters(command.Parameters, GrainWorld.At("2030-09-01T00:00:00Z"));

        await AssertNoHistoryIsReadAsync(command);
    }

    /// <summary>The plan in the marker's transaction, when it has locked its agencies.</summary>
    private async Task<List<string>> ExplainMarkingAsync(string sql, int agencies)
    {
        var batch = await BatchAsync(agencies);
        await using var connection = await years.Source.OpenConnectionAsync();
        await using var transaction = await WatermarkTransaction.BeginAsync(
            connection, DatabaseClock.OfPostgres, CancellationToken.None);
        await transaction.LockAndReadAsync(
            [.. batch.Agencies.Select(agency => agency.Plan.State.Agency.Value)], CancellationToken.None);
        await using var explain = transaction.CreateCommand("EXPLAIN " + sql);
        MarkingParameters.AddTo(explain.Parameters, batch, MarkingParameters.Now(Now));
        return await ReadPlanAsync(explain);
    }

    private static async Task<List<string>> ReadPlanAsync(NpgsqlCommand explain)
    {
        var plan = new List<string>();
        await using var reader = await explain.ExecuteReaderAsync();
        while (await reader.ReadAsync()) plan.Add(reader.GetString(0));
        return plan;
    }

    private static async Task AssertNoHistoryIsReadAsync(NpgsqlCommand explain)
    {
        var plan = await ReadPlanAsync(explain);
        Assert.False(plan.Any(line => ScanOfHistory().IsMatch(line)), string.Join('\n', plan));
    }

    private async Task<MarkingBatch> BatchAsync(int agencies)
    {
        var clock = new CutoffClock(ZoneCatalogue.Find("UTC")!, new LocalTime(17, 0));
        var request = new RunRequest(RunTrigger.Reminder);
        await using var command = years.Source.CreateCommand($"SELECT id FROM agencies ORDER BY id LIMIT {agencies}");
        await using var reader = await command.ExecuteReaderAsync();
        var planned = new List<PlannedAgency>();
        while (await reader.ReadAsync())
        {
            var state = new AgencyState(
                new AgencyId(reader.GetGuid(0)), "UTC", new LocalTime(17, 0), GrainWorld.Date("2031-02-28"),
                Now - Duration.FromDays(1), Now, Now - Duration.FromDays(60), IsPaused: false, FailedAttempts: 0);
            var plan = AgencyPlan.Decide(state, clock, Now, asked: false, datesAtMost: 31);
            planned.Add(new PlannedAgency(plan, request));
        }

        return MarkingBatch.Of(planned, Now, Duration.FromMinutes(10));
    }

    /// <summary>By agency; where each installment asks for its plan, the table has no other name.</summary>
    [GeneratedRegex(@"Scan.* on payment_plans p")]
    private static partial Regex ScanOfPlans();

    [GeneratedRegex(@"Seq Scan on (installments|agency_runs|jobs_log)\b")]
    private static partial Regex ScanOfHistory();

    /// <summary>A database in use for some time: 60 days of ledger, and installments that are mostly settled.</summary>
    public sealed class Years : IAsyncLifetime
    {
        private TestDatabase? _database;
        private NpgsqlDataSource? _source;

        public NpgsqlDataSource Source => _source!;

        public async ValueTask InitializeAsync()
        {
            _database = await TestDatabase.CreateMigratedAsync();
            await using var owner = NpgsqlDataSource.Create(_database.ConnectionString);
            await using var fill = owner.CreateCommand(
                """
                INSERT INTO agencies (name, timezone) SELECT 'any', 'UTC' FROM generate_series(1, 1000);
                UPDATE agency_cutoffs SET last_cutoff_date = '2031-02-28', last_cutoff_at = '2031-02-28T17:00Z',
                  next_cutoff_date = '2031-03-01', next_cutoff_at = '2031-03-01T17:00Z', tzdb_version = 'any';
                INSERT INTO payment_plans (agency_id) SELECT id FROM agencies, generate_series(1, 100);
                INSERT INTO installments (payment_plan_id, student_due_date, status)
                SELECT p.id, date '2031-03-03' - 30 * n,
                  CASE WHEN n = 0 AND random() < 0.2 THEN 'pending' WHEN n % 2 = 0 THEN 'paid' ELSE 'overdue' END
                FROM payment_plans p, generate_series(0, 4) AS n;
                INSERT INTO agency_runs (job_id, agency_id, cutoff_date, cutoff_at, serves_cutoff, trigger, started_at,
                  completed_at, status, timezone, overdue_cutoff_time, resolution, tzdb_version)
                SELECT gen_random_uuid(), a.id, date '2031-02-28' - n,
                       timestamptz '2031-02-28T17:00Z' - n * interval '1 day',
                  true, 'reminder', now(), now(), 'success', 'UTC', '17:00', 'once', 'any'
                FROM agencies a, generate_series(0, 59) AS n;
                INSERT INTO jobs_log (job_name, started_at, status)
                SELECT 'update-installment-statuses', timestamptz '2031-02-28T17:00Z' - n * interval '1 hour', 'success'
                FROM generate_series(0, 4999) AS n;
                ANALYZE;
                """);
            fill.CommandTimeout = 120;
            await fill.ExecuteNonQueryAsync();
            _source = GrainDatabase.Connect(_database.SiloConnectionString);
        }

        public async ValueTask DisposeAsync()
        {
            if (_source is not null) await _source.DisposeAsync();
            if (_database is not null) await _database.DisposeAsync();
        }
    }
}
