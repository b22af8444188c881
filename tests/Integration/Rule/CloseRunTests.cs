using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Rule;

/// <summary>What `close_run` makes of the ledger: status, sentence, metadata and alerts of a row of jobs_log.</summary>
public sealed class CloseRunTests
{
    private const string CutoffAt = "2026-06-01T17:00:00+00:00";
    private const string Soon = "2026-06-01 17:00:05Z";
    private static readonly Guid Job = RuleDatabase.Id(1_000_000);

    [Fact]
    public async Task A_run_of_which_no_agency_is_left_is_closed_once_with_what_the_ledger_says()
    {
        await using var database = await StartAsync();
        await ServedAsync(database, 1, records: 2);
        await ServedAsync(database, 2, records: 0);
        await ServedAsync(database, 3, records: 1);

        Assert.Equal("success", await CloseAsync(database));
        Assert.Null(await CloseAsync(database));

        Assert.Equal("success 3  t", await RowAsync(database));
        var expected =
            $$$"""
            {"trigger": "reminder", "cutoff_at": "{{{CutoffAt}}}", "agencies_total": 3, "agencies_marked": 2,
             "agencies_failed": 0, "agencies": [
              {"agency_id": "{{{RuleDatabase.Id(1)}}}", "updated_count": 2, "transitions": {"pending_to_overdue": 2}},
              {"agency_id": "{{{RuleDatabase.Id(3)}}}", "updated_count": 1, "transitions": {"pending_to_overdue": 1}}]}
            """;
        Assert.Equal(
            await database.AskAsync<string>("SELECT $1::jsonb::text", expected),
            await database.AskAsync<string>("SELECT metadata::text FROM jobs_log"));
        Assert.Equal(0, await database.AskAsync<long>("SELECT count(*) FROM alerts"));
    }

    [Fact]
    public async Task An_agency_served_in_two_waves_counts_once_with_the_sum()
    {
        await using var database = await StartAsync();
        await ServedAsync(database, 1, records: 2, date: "2026-05-31");
        await ServedAsync(database, 1, records: 3);

        await CloseAsync(database);

        Assert.Equal("success 5  t", await RowAsync(database));
        Assert.Equal(
            "1 1 5",
            await MetadataAsync(database, "agencies_total", "agencies_marked", "agencies,0,updated_count"));
    }

    [Fact]
    public async Task A_run_with_a_failed_agency_is_failed_and_says_which_and_why()
    {
        await using var database = await StartAsync();
        await ServedAsync(database, 1, records: 2);
        await ServedAsync(database, 2, records: 0);
        await FailedAsync(database, 3, "no such zone");

        Assert.Equal("failed", await CloseAsync(database));

        var sentence = $"1 of 3 agencies failed: {RuleDatabase.Id(3)}: no such zone";
        Assert.Equal($"failed 2 {sentence} t", await RowAsync(database));
        Assert.Equal(
            $"3 1 1 {RuleDatabase.Id(3)} no such zone",
            await MetadataAsync(database,
                "agencies_total", "agencies_marked", "agencies_failed", "failures,0,agency_id", "failures,0,error"));
        Assert.Equal(
            [$"run_failed critical run_failed:update-installment-statuses:{CutoffAt} {sentence}"],
            await AlertsAsync(database));
    }

    [Fact]
    public async Task Of_more_than_three_failed_agencies_the_first_three_are_said_and_all_are_listed()
    {
        await using var database = await StartAsync();
        for (var number = 5; number >= 1; number--) await FailedAsync(database, number, $"reason {number}");

        await CloseAsync(database);

        var first = string.Join("; ", Enumerable.Range(1, 3).Select(n => $"{RuleDatabase.Id(n)}: reason {n}"));
        Assert.Equal($"failed 0 5 of 5 agencies failed: {first}; … t", await RowAsync(database));
        Assert.Equal("5 reason 5", await MetadataAsync(database, "agencies_failed", "failures,4,error"));
    }

    [Fact]
    public async Task Failures_that_could_not_be_recorded_count_too_and_recorded_ones_only_once()
    {
        await using var database = await StartAsync();
        await ServedAsync(database, 1, records: 1);
        await FailedAsync(database, 2, "recorded");

        await CloseAsync(
            database,
            unrecorded: $$"""
            [{"agency_id":"{{RuleDatabase.Id(2)}}","error":"told"},
             {"agency_id":"{{RuleDatabase.Id(3)}}","error":"away"}]
            """);

        Assert.Equal(
            $"failed 1 2 of 3 agencies failed: {RuleDatabase.Id(2)}: recorded; {RuleDatabase.Id(3)}: away t",
            await RowAsync(database));
        Assert.Equal("3 2", await MetadataAsync(database, "agencies_total", "agencies_failed"));
    }

    [Fact]
    public async Task A_run_goes_on_while_an_agency_is_left_and_is_failed_at_its_limit_naming_it()
    {
        await using var database = await StartAsync();
        await ServedAsync(database, 1, records: 1);
        for (var number = 2; number <= 13; number++)
        {
            var agency = await database.AddAgencyAsync(number);
            await database.ServedAsync(agency, "2026-05-31", "2026-05-31 17:00Z", nextAt: "2026-06-01 17:00Z");
        }

        await database.ExecuteAsync(
            "UPDATE agency_cutoffs SET paused_at = now() WHERE agency_id = $1", RuleDatabase.Id(13));
        Assert.Null(await CloseAsync(database, now: "2026-06-01 17:09:59.999999Z"));
        Assert.Equal("failed", await CloseAsync(database, now: "2026-06-01 17:10Z"));

        var first = string.Join(", ", Enumerable.Range(2, 10).Select(RuleDatabase.Id));
        var sentence = $"11 of 12 agencies were not served within 10 minutes: {first}, …";
        Assert.Equal($"failed 1 {sentence} t", await RowAsync(database));
        Assert.Equal("12 11 0", await MetadataAsync(database, "agencies_total", "agencies_left", "agencies_failed"));
        Assert.Equal([$"run_stuck critical run_stuck:{Job} {sentence}"], await AlertsAsync(database));
    }

    [Fact]
    public async Task An_agency_that_failed_in_the_run_is_not_left_in_it()
    {
        await using var database = await StartAsync();
        var agency = await database.AddAgencyAsync(1);
        await database.ServedAsync(agency, "2026-05-31", "2026-05-31 17:00Z", nextAt: "2026-06-01 17:00Z");
        Assert.Null(await CloseAsync(database));

        await FailedAsync(database, 1, "broken");

        Assert.Equal("failed", await CloseAsync(database));
        Assert.Equal("1 1", await MetadataAsync(database, "agencies_total", "agencies_failed"));
    }

    [Fact]
    public async Task Failed_and_left_agencies_stand_in_one_sentence()
    {
        await using var database = await StartAsync();
        await FailedAsync(database, 1, "broken");
        var left = await database.AddAgencyAsync(2);
        await database.ServedAsync(left, "2026-05-31", "2026-05-31 17:00Z", nextAt: "2026-06-01 17:00Z");

        await CloseAsync(database, now: "2026-06-01 18:00Z");

        Assert.Equal(
            $"failed 0 1 of 2 agencies failed: {RuleDatabase.Id(1)}: broken; "
            + $"1 of 2 agencies were not served within 10 minutes: {left} t",
            await RowAsync(database));
        Assert.Equal(2, (await AlertsAsync(database)).Count);
    }

    [Fact]
    public async Task Per_agency_counts_are_listed_up_to_1000_and_then_the_row_says_that_they_are_cut()
    {
        await using var database = await StartAsync();
        await ServedAsync(database, 1, records: 1, through: 1_001);
        await ServedAsync(database, 2_001, records: 0, through: 3_000);

        await CloseAsync(database);

        Assert.Equal("success 1001  t", await RowAsync(database));
        Assert.Equal(
            $"2001 1001 true {RuleDatabase.Id(1_000)}",
            await MetadataAsync(database,
                "agencies_total", "agencies_marked", "agencies_truncated", "agencies,999,agency_id"));
        Assert.Equal(
            1000, await database.AskAsync<int>("SELECT jsonb_array_length(metadata -> 'agencies') FROM jobs_log"));
    }

    [Fact]
    public async Task One_late_agency_is_alerted_by_its_id_and_several_by_their_number()
    {
        await using var database = await StartAsync();
        await ServedAsync(database, 1, records: 0, late: "10 s");
        await ServedAsync(database, 2, records: 0, late: "1 h 0.5 s");
        await CloseAsync(database);
        const string alert = "SELECT concat_ws(' ', severity, agency_id, details ->> 'agencies', message) FROM alerts";
        Assert.Equal(
            $"warning {RuleDatabase.Id(2)} 1 1 agency was served late, by up to 01:00:00; "
            + "the earliest of these cutoffs was at 2026-06-01 17:00:00 UTC",
            await database.AskAsync<string>(alert));

        await database.ExecuteAsync("UPDATE jobs_log SET status = 'running'");
        await ServedAsync(database, 3, records: 0, late: "2 h");
        await CloseAsync(database);

        Assert.Equal(
            "warning 2 2 agencies were served late, by up to 02:00:00; "
            + "the earliest of these cutoffs was at 2026-06-01 17:00:00 UTC",
            await database.AskAsync<string>(alert));
        Assert.Equal(1, await database.AskAsync<long>("SELECT count(*) FROM alerts"));
    }

    [Fact]
    public async Task A_run_that_somebody_is_writing_under_is_not_closed()
    {
        await using var database = await StartAsync();
        await using (var writer = await database.Owner.OpenConnectionAsync())
        await using (var transaction = await writer.BeginTransactionAsync())
        {
            await using var share = new NpgsqlCommand("SELECT FROM jobs_log FOR SHARE", writer);
            await share.ExecuteNonQueryAsync();
            Assert.Null(await CloseAsync(database));
        }

        Assert.Equal("success", await CloseAsync(database));
    }

    [Fact]
    public async Task A_run_that_is_not_there_answers_nothing()
    {
        await using var database = await RuleDatabase.CreateAsync();

        Assert.Null(await CloseAsync(database));
    }

    [Fact]
    public async Task A_run_of_all_whose_silo_stopped_is_failed_and_says_how_far_it_came()
    {
        await using var database = await StartAsync();
        await database.ExecuteAsync(
            """UPDATE jobs_log SET metadata = '{"trigger": "api", "agencies_asked": 3}'""");
        await ServedAsync(database, 1, records: 2);

        Assert.Equal("failed", await CloseAsync(database));

        Assert.Equal("failed 2 the run ended after 1 of 3 agencies: its silo stopped t", await RowAsync(database));
    }

    [Fact]
    public async Task A_row_that_another_program_left_running_is_closed_at_its_limit_as_not_known()
    {
        await using var database = await StartAsync();
        await database.ExecuteAsync("UPDATE jobs_log SET metadata = NULL, records_updated = 7");

        Assert.Null(await CloseAsync(database));
        Assert.Equal("failed", await CloseAsync(database, "2026-06-01 17:10Z"));

        Assert.Equal(
            "failed 7 whoever started this run did not close it; what it did is not known t", await RowAsync(database));
    }

    private static async Task<RuleDatabase> StartAsync()
    {
        var database = await RuleDatabase.CreateAsync();
        await database.ExecuteAsync(
            """
            INSERT INTO jobs_log (id, job_name, started_at, status, metadata)
            VALUES ($1, 'update-installment-statuses', '2026-06-01 17:00Z', 'running',
              jsonb_build_object('trigger', 'reminder', 'cutoff_at', $2))
            """,
            Job, CutoffAt);
        return database;
    }

    private static Task<string?> CloseAsync(RuleDatabase database, string now = Soon, string unrecorded = "[]") =>
        database.AskAsync<string>(
            "SELECT close_run($1, $2::timestamptz, p_unrecorded => $3::jsonb)", Job, now, unrecorded);

    /// <summary>Ledger rows of agencies that need not exist: the ledger outlives them.</summary>
    private static Task ServedAsync(
        RuleDatabase database, int number, int records, string date = "2026-06-01", string late = "0 s",
        int? through = null) =>
        database.ExecuteAsync(
            """
            INSERT INTO agency_runs (job_id, agency_id, cutoff_date, cutoff_at, serves_cutoff, trigger, started_at,
              completed_at, late_by, status, records_updated, installment_ids, timezone, overdue_cutoff_time,
              resolution, tzdb_version)
            SELECT $1, ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, $4::date,
              ($4::date + time '17:00') AT TIME ZONE 'UTC', true, 'reminder', now(), now(), $5::interval, 'success', $6,
              ARRAY(SELECT gen_random_uuid() FROM generate_series(1, $6)), 'UTC', '17:00', 'once', '1'
            FROM generate_series($2, $3) AS n
            """,
            Job, number, through ?? number, date, late, records);

    private static Task FailedAsync(RuleDatabase database, int number, string error) => database.ExecuteAsync(
        """
        INSERT INTO agency_runs (job_id, agency_id, cutoff_date, serves_cutoff, trigger, started_at, completed_at,
          status, timezone, overdue_cutoff_time, tzdb_version, error_message)
        VALUES ($1, $2, '2026-06-01', true, 'reminder', now(), now(), 'failed', 'UTC', '17:00', '1', $3)
        """,
        Job, RuleDatabase.Id(number), error);

    private static Task<string?> RowAsync(RuleDatabase database) => database.AskAsync<string>(
        "SELECT format('%s %s %s %s', status, records_updated, error_message, completed_at IS NOT NULL) FROM jobs_log");

    private static Task<string?> MetadataAsync(RuleDatabase database, params string[] paths) =>
        database.AskAsync<string>(
            "SELECT string_agg(metadata #>> ('{' || path || '}')::text[], ' ' ORDER BY n) "
            + "FROM jobs_log, unnest($1) WITH ORDINALITY AS p (path, n)",
            [paths]);

    private static Task<IReadOnlyList<string>> AlertsAsync(RuleDatabase database) => database.LinesAsync(
        """
        SELECT concat_ws(' ', kind, severity, dedup_key, message)
        FROM alerts WHERE resolved_at IS NULL ORDER BY kind
        """);
}
