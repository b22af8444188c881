using Actors.Grains.Interfaces;
using Actors.Silo.Doctor;
using Actors.Tests.Support;
using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Doctor;

/// <summary>Each thing that the doctor may find, brought about in a database of its own.</summary>
public sealed class CheckupTests : IAsyncLifetime
{
    private TestDatabase database = null!;

    public async ValueTask InitializeAsync() => database = await TestDatabase.CreateMigratedAsync();

    public ValueTask DisposeAsync() => database.DisposeAsync();

    [Fact]
    public async Task A_new_database_is_fine_but_that_no_silo_has_swept()
    {
        var findings = await CheckAsync();

        Assert.Equal(
            ["login", "schema", "clock", "silos", "time zones", "agencies", "alerts", "runs", "sweep"],
            findings.Select(finding => finding.Subject));
        Assert.Equal(
            "No silo has ever swept this database: start one with ./actors up.",
            Assert.Single(findings, finding => finding.Severity != Severity.Ok).Sentence);
    }

    [Fact]
    public async Task The_silos_own_login_may_serve_and_needs_no_more()
    {
        var findings = await CheckAsync(database.SiloConnectionString);

        AssertFound(findings, Severity.Ok, "login", "'actors_silo' may serve cutoffs; migrations and imports need");
        Assert.DoesNotContain(findings, finding => finding.Severity == Severity.Problem);
    }

    [Fact]
    public async Task A_superuser_is_more_than_anything_here_needs() => AssertFound(
        await CheckAsync(database.SuperuserConnectionString), Severity.Warning, "login", "is a superuser");

    [Fact]
    public async Task A_login_without_rights_is_told_which_it_lacks_and_how_to_get_them()
    {
        var login = $"stranger_{Guid.NewGuid():N}";
        await ExecuteAsync($"CREATE ROLE {login} LOGIN PASSWORD 'knocks'");
        try
        {
            var stranger = new NpgsqlConnectionStringBuilder(database.ConnectionString)
            {
                Username = login,
                Password = "knocks",
                Pooling = false,
            };

            var findings = await CheckAsync(stranger.ConnectionString);

            AssertFound(findings, Severity.Problem, "login", "UPDATE on public.agency_cutoffs");
            AssertFound(findings, Severity.Problem, "login", $"GRANT service_role TO {login}.");
            AssertFound(findings, Severity.Problem, "schema", $"GRANT service_role TO {login}");
        }
        finally
        {
            await ExecuteAsync($"DROP ROLE {login}");
        }
    }

    [Fact]
    public async Task A_schema_that_is_behind_is_a_problem_and_names_the_command()
    {
        await new Silo.Migrations.MigrationRunner(database.ConnectionString).DownAsync();

        AssertFound(await CheckAsync(), Severity.Problem, "schema", "Run ./actors migrate up.");
    }

    [Fact]
    public async Task A_schema_that_is_ahead_or_edited_is_a_problem()
    {
        await ExecuteAsync("UPDATE actors.schema_migrations SET checksum = repeat('0', 64) WHERE version = '002/001'");
        AssertFound(await CheckAsync(), Severity.Problem, "schema", "Migration 002/001 was applied on");

        await ExecuteAsync("UPDATE actors.schema_migrations SET version = '099/001' WHERE version = '004/004'");
        AssertFound(await CheckAsync(), Severity.Problem, "schema", "run a newer version");
    }

    [Fact]
    public async Task What_somebody_removed_by_hand_is_named()
    {
        await ExecuteAsync("DROP INDEX idx_jobs_log_running");

        AssertFound(await CheckAsync(), Severity.Problem, "schema", "index public.idx_jobs_log_running is missing");
    }

    [Theory]
    [InlineData(1, Severity.Ok)]
    [InlineData(-5, Severity.Warning)]
    [InlineData(5, Severity.Warning)]
    [InlineData(60, Severity.Problem)]
    public async Task A_clock_that_differs_from_the_databases_is_measured(int secondsAhead, Severity severity)
    {
        var clock = new SkewedClock(TimeSpan.FromSeconds(secondsAhead));

        AssertFound(
            await CheckAsync(clock: clock), severity, "clock", secondsAhead < 0 ? "s behind the" : "s ahead of the");
    }

    [Theory]
    [InlineData(0, Severity.Ok, "2 active; the oldest sign of life is")]
    [InlineData(12, Severity.Ok, "2 active; the oldest sign of life is")]
    [InlineData(-5, Severity.Warning, "The clock of silo other at 127.0.0.1:2 is at least")]
    [InlineData(-600, Severity.Problem, "s ahead of the database's")]
    [InlineData(20, Severity.Warning, "Silo other at 127.0.0.1:2 gave its last sign of life 2")]
    [InlineData(600, Severity.Problem, "its clock is behind")]
    public async Task A_silo_whose_signs_of_life_do_not_fit_the_databases_clock_is_named(
        int secondsOld, Severity severity, string said)
    {
        await AddSiloAsync("one", 1, secondsOld: 1);
        await AddSiloAsync("other", 2, secondsOld);

        AssertFound(await CheckAsync(database.SiloConnectionString), severity, "silos", said);
    }

    [Fact]
    public async Task Silos_that_all_have_ended_without_a_word_are_no_problem_and_dead_ones_are_not_told()
    {
        await AddSiloAsync("one", 1, secondsOld: 3_600);
        await AddSiloAsync("dead", 2, secondsOld: -3_600, status: 6);

        AssertFound(await CheckAsync(), Severity.Warning, "silos", "it has ended without a word");
    }

    [Fact]
    public async Task A_zone_that_NodaTime_does_not_know_is_a_problem_with_the_number_of_its_agencies()
    {
        await AddAgencyAsync("posix/Asia/Tokyo");
        await AddAgencyAsync("posix/Asia/Tokyo");

        AssertFound(
            await CheckAsync(), Severity.Problem, "time zones", "'posix/Asia/Tokyo', used by 2 agencies, is unknown");
    }

    [Fact]
    public async Task A_zone_on_which_the_releases_differ_is_named_with_both_offsets_and_advice()
    {
        await AddAgencyAsync("CET");

        // PostgreSQL reads CET as a fixed offset, whatever release it carries, so summer differs.
        var finding = AssertFound(await CheckAsync(), Severity.Warning, "time zones", "such as Europe/Brussels.");

        Assert.Contains("used by 1 agency, from", finding.Sentence, StringComparison.Ordinal);
        Assert.Contains("UTC+02:00 against UTC+01:00", finding.Sentence, StringComparison.Ordinal);
        Assert.Contains("NodaTime decides; only update_installment_", finding.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Agencies_that_are_late_failing_or_new_are_counted()
    {
        var (late, failing) = (await AddAgencyAsync("UTC"), await AddAgencyAsync("UTC"));
        await AddAgencyAsync("UTC");
        await ExecuteAsync(
            $"""
            UPDATE agency_cutoffs SET last_cutoff_date = '2026-01-01', last_cutoff_at = '2026-01-01 17:00Z',
              next_cutoff_date = '2026-01-02', next_cutoff_at = '2026-01-02 17:00Z' WHERE agency_id = '{late}';
            UPDATE agency_cutoffs SET failed_attempts = 3, last_error = 'the disk is full',
              set_aside_until = now() + interval '1 hour',
              next_cutoff_date = '2099-01-02', next_cutoff_at = '2099-01-02 17:00Z' WHERE agency_id = '{failing}'
            """);

        var findings = await CheckAsync();

        AssertFound(
            findings, Severity.Problem, "agencies",
            "1 of 3 late: the earliest unserved cutoff was at 2026-01-02T17:00");
        AssertFound(
            findings, Severity.Problem, "agencies",
            $"1 of 3 failing, 1 of them set aside for now; most often {failing}: the disk is full");
        AssertFound(findings, Severity.Warning, "agencies", "1 of 3 new or changed");
    }

    [Fact]
    public async Task Open_alerts_are_counted_and_the_worst_is_quoted()
    {
        await ExecuteAsync(
            """
            INSERT INTO alerts (kind, severity, dedup_key, message, raised_at, resolved_at) VALUES
              ('cutoff_late', 'critical', 'a', 'long gone', now(), now()),
              ('run_failed', 'warning', 'b', 'a small thing', now(), NULL),
              ('run_stuck', 'critical', 'c', 'a big thing', now(), NULL)
            """);

        AssertFound(await CheckAsync(), Severity.Warning, "alerts", "2 open; the worst: a big thing.");
    }

    [Fact]
    public async Task A_run_that_is_open_beyond_its_limit_is_a_problem()
    {
        await ExecuteAsync(
            $"""
            INSERT INTO jobs_log (job_name, started_at, status) VALUES
              ('{JobNames.UpdateInstallmentStatuses}', now() - interval '1 hour', 'running'),
              ('{JobNames.UpdateInstallmentStatuses}', now(), 'running')
            """);

        AssertFound(await CheckAsync(), Severity.Problem, "runs", "1 running for longer than 10 minutes");
    }

    [Theory]
    [InlineData("1 second", Severity.Ok, "A silo (one) last swept at")]
    [InlineData("1 hour", Severity.Warning, "none is serving cutoffs now")]
    public async Task The_last_sweep_tells_whether_a_silo_serves(string ago, Severity severity, string said)
    {
        await ExecuteAsync(
            $"""
            INSERT INTO sweeps (job_name, swept_at, swept_by, agencies_found)
            VALUES ('{JobNames.UpdateInstallmentStatuses}', now() - interval '{ago}', 'one', 0)
            """);

        AssertFound(await CheckAsync(), severity, "sweep", said);
    }

    private static Finding AssertFound(
        IReadOnlyList<Finding> findings, Severity severity, string subject, string said) => Assert.Single(
        findings,
        finding => finding.Severity == severity && finding.Subject == subject
            && finding.Sentence.Contains(said, StringComparison.Ordinal));

    private Task<IReadOnlyList<Finding>> CheckAsync(string? connectionString = null, TimeProvider? clock = null) =>
        Checkup.RunAsync(
            connectionString ?? database.ConnectionString, clock ?? TimeProvider.System,
            TestContext.Current.CancellationToken);

    private async Task<Guid> AddAgencyAsync(string zone)
    {
        var id = Guid.NewGuid();
        await ExecuteAsync(
            $"""
            INSERT INTO supported_timezones (name) VALUES ('{zone}') ON CONFLICT DO NOTHING;
            INSERT INTO agencies (id, name, timezone) VALUES ('{id}', 'any', '{zone}')
            """);
        return id;
    }

    private async Task AddSiloAsync(string name, int port, int secondsOld, int status = 3) => await ExecuteAsync(
        $"""
        INSERT INTO orleans.clusters (cluster_id) VALUES ('any') ON CONFLICT DO NOTHING;
        INSERT INTO orleans.silos (cluster_id, address, port, generation, silo_name, host_name, status, proxy_port,
          start_time, i_am_alive_time)
        VALUES ('any', '127.0.0.1', {port}, 1, '{name}', 'any', {status}, 0,
          clock_timestamp() - interval '1 hour', clock_timestamp() - {secondsOld} * interval '1 second')
        """);

    private async Task<object?> ExecuteAsync(string sql)
    {
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync();
    }
}
