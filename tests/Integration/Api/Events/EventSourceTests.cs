using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Api.Events;

/// <summary>What becomes an event, and that nothing fails for the sake of one.</summary>
public sealed class EventSourceTests(EventsDatabase database) : IClassFixture<EventsDatabase>
{
    private const string Open =
        """
        INSERT INTO jobs_log (id, job_name, started_at, status, metadata) VALUES (
          '11111111-0000-4000-8000-00000000000%', 'update-installment-statuses', now(), 'running',
          '{"trigger": "api", "requested_by": "cron", "reason": "the file was late"}')
        """;

    [Fact]
    public async Task A_run_is_told_when_it_starts_and_when_it_ends()
    {
        var before = await database.NumberAsync();
        await database.ExecuteAsync(Job(Open, 1));
        await database.ExecuteAsync(
            Job("UPDATE jobs_log SET metadata = metadata || '{\"agencies_asked\": 3}' WHERE id = $", 1));
        await database.ExecuteAsync(Job(
            """
            UPDATE jobs_log SET status = 'failed', completed_at = now(), records_updated = 7,
                   error_message = 'one failed', metadata = metadata || '{"agencies_total": 3, "agencies_failed": 1}'
            WHERE id = $
            """, 1));
        await database.ExecuteAsync(Job("UPDATE jobs_log SET completed_at = now() WHERE id = $", 1));

        await database.NumberAsync();
        Assert.Equal(
            [
                """
                run_started: {"status": "running", "jobName": "update-installment-statuses", "trigger": "api",
                 "requestedBy": "cron"}
                """.ReplaceLineEndings(""),
                """
                run_finished: {"error": "one failed", "status": "failed", "jobName": "update-installment-statuses",
                 "trigger": "api", "requestedBy": "cron", "agenciesTotal": 3, "agenciesFailed": 1, "recordsUpdated": 7}
                """.ReplaceLineEndings(""),
            ],
            await database.AfterAsync(before));
        Assert.Equal(
            "11111111-0000-4000-8000-000000000001",
            await database.ReadAsync<string>($"SELECT DISTINCT job_id::text FROM events WHERE position > {before}"));
    }

    [Fact]
    public async Task A_run_that_its_own_transaction_takes_back_has_not_been()
    {
        await database.ExecuteAsync("DELETE FROM agencies");
        var before = await database.NumberAsync();
        await database.ExecuteAsync($"BEGIN; {Job(Open, 2)}; {Job("DELETE FROM jobs_log WHERE id = $", 2)}; COMMIT");
        // What pg_cron calls every minute: it finds no agency, and takes its run back.
        await database.ExecuteAsync("SELECT run_watchdog(clock_timestamp())");

        Assert.Equal(before, await database.NumberAsync());
    }

    [Fact]
    public async Task An_alert_is_told_when_it_is_raised_acknowledged_and_resolved()
    {
        var before = await database.NumberAsync();
        await RaiseAsync("run_stuck", "stuck", "two agencies were not served");
        await RaiseAsync("run_stuck", "stuck", "still two agencies were not served");
        await database.ExecuteAsync(
            "UPDATE alerts SET acknowledged_at = now(), acknowledged_by = 'Ada' WHERE dedup_key = 'stuck'");
        await database.ExecuteAsync(
            "UPDATE alerts SET acknowledged_note = 'on it' WHERE dedup_key = 'stuck'; "
            + "UPDATE alerts SET resolved_at = now() WHERE dedup_key = 'stuck'");

        await database.NumberAsync();
        Assert.Equal(
            [
                """
                alert_raised: {"message": "two agencies were not served", "severity": "warning",
                 "alertKind": "run_stuck"}
                """.ReplaceLineEndings(""),
                """
                alert_acknowledged: {"message": "still two agencies were not served", "severity": "warning",
                 "alertKind": "run_stuck", "acknowledgedBy": "Ada"}
                """.ReplaceLineEndings(""),
                """
                alert_resolved: {"message": "still two agencies were not served", "severity": "warning",
                 "alertKind": "run_stuck", "acknowledgedBy": "Ada"}
                """.ReplaceLineEndings(""),
            ],
            await database.AfterAsync(before));
        Assert.Equal(
            1, await database.ReadAsync<long>(
                $"SELECT count(DISTINCT alert_id) FROM events WHERE position > {before} AND alert_id IS NOT NULL"));
    }

    [Fact]
    public async Task Every_failure_of_an_agency_and_every_late_run_is_told_while_its_alert_is_open()
    {
        var before = await database.NumberAsync();
        await RaiseAsync("agency_failed", "failed", "unknown zone", """{"failed_attempts": 1}""");
        await RaiseAsync("agency_failed", "failed", "unknown zone", """{"failed_attempts": 2}""");
        await RaiseAsync("cutoff_late", "late", "two late", """{"agencies": 2, "late_by_seconds": 61.5}""");

        await database.NumberAsync();
        Assert.Equal(
            [
                """agency_failed: {"message": "unknown zone", "failedAttempts": 1}""",
                """alert_raised: {"message": "unknown zone", "severity": "warning", "alertKind": "agency_failed"}""",
                """agency_failed: {"message": "unknown zone", "failedAttempts": 2}""",
                """agencies_late: {"message": "two late", "agencies": 2, "lateBySeconds": 61.5}""",
                """alert_raised: {"message": "two late", "severity": "warning", "alertKind": "cutoff_late"}""",
            ],
            await database.AfterAsync(before));
    }

    [Fact]
    public async Task A_changed_agency_is_told_and_thousands_at_once_are_one_event()
    {
        var before = await database.NumberAsync();
        await database.ExecuteAsync("INSERT INTO agencies (name) SELECT 'one of many' FROM generate_series(1, 1000)");
        await database.ExecuteAsync(
            "UPDATE agencies SET overdue_cutoff_time = '09:00' "
            + "WHERE id = (SELECT id FROM agencies ORDER BY id LIMIT 1)");

        await database.NumberAsync();
        var events = await database.AfterAsync(before);
        Assert.Equal(2, events.Count);
        Assert.Equal("""agencies_changed: {"changes": 1000}""", events[0]);
        Assert.StartsWith("""agency_changed: {"change": "settings_changed", "changedBy": """, events[1],
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_long_message_is_cut_and_odd_metadata_is_no_reason_to_fail()
    {
        var before = await database.NumberAsync();
        await database.ExecuteAsync(
            """
            INSERT INTO jobs_log (job_name, started_at, completed_at, status, error_message, metadata) VALUES
              ('somebody''s own', now(), now(), 'failed', repeat('x', 1000000), '[1, 2]'),
              ('somebody''s own', now(), now(), 'success', NULL, '"text"'),
              ('somebody''s own', now(), now(), 'success', NULL, NULL)
            """);

        await database.NumberAsync();
        var events = await database.AfterAsync(before);
        Assert.Equal(3, events.Count);
        Assert.All(events, told => Assert.StartsWith("run_finished: ", told, StringComparison.Ordinal));
        Assert.Equal(1, events.Count(told => told.Contains($"\"{new string('x', 500)}\"", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task An_event_that_cannot_be_written_is_a_warning_and_undoes_nothing()
    {
        await using var alone = new EventsDatabase();
        await alone.InitializeAsync();
        await alone.ExecuteAsync("ALTER TABLE events ADD CONSTRAINT full_up CHECK (false) NOT VALID");
        await using var connection = await alone.Owner.OpenConnectionAsync();
        var warnings = new List<string>();
        connection.Notice += (_, notice) => warnings.Add(notice.Notice.MessageText);

        await using var command = new NpgsqlCommand(
            $"""
            {Job(Open, 3)};
            {Job("UPDATE jobs_log SET status = 'success', completed_at = now() WHERE id = $", 3)};
            SELECT raise_alert('run_stuck', 'info', 'key', NULL, NULL, 'message', '{"{}"}', now());
            INSERT INTO agencies (name) VALUES ('any')
            """, connection);
        await command.ExecuteNonQueryAsync();

        Assert.Equal(
            "1, 1, 1",
            await alone.ReadAsync<string>(
                """
                SELECT concat_ws(', ', (SELECT count(*) FROM jobs_log WHERE status = 'success'),
                  (SELECT count(*) FROM alerts), (SELECT count(*) FROM agencies))
                """));
        Assert.Equal(4, warnings.Count);
        Assert.All(warnings, warning => Assert.StartsWith("no event tells of this change of ", warning,
            StringComparison.Ordinal));
    }

    private Task RaiseAsync(string kind, string key, string message, string details = "{}") => database.ExecuteAsync(
        $"SELECT raise_alert('{kind}', 'warning', '{key}', NULL, NULL, '{message}', '{details}', now())");

    private static string Job(string sql, int number) => sql
        .Replace("%", $"{number}", StringComparison.Ordinal)
        .Replace("id = $", $"id = '11111111-0000-4000-8000-00000000000{number}'", StringComparison.Ordinal);
}
