using Actors.Tests.Support;
using Npgsql;

namespace Actors.Tests.Integration.Rule;

/// <summary>A migrated database, and words for what the tests of the rule say often. Instants are text.</summary>
internal sealed class RuleDatabase : IAsyncDisposable
{
    private readonly TestDatabase database;

    private RuleDatabase(TestDatabase database)
    {
        this.database = database;
        Owner = NpgsqlDataSource.Create(database.ConnectionString);
    }

    /// <summary>Connections as the database's owner.</summary>
    public NpgsqlDataSource Owner { get; }

    public string OwnerConnectionString => database.ConnectionString;

    public string SiloConnectionString => database.SiloConnectionString;

    public string SuperuserConnectionString => database.SuperuserConnectionString;

    public static async Task<RuleDatabase> CreateAsync() => new(await TestDatabase.CreateMigratedAsync());

    /// <summary>Ids in the order of their numbers.</summary>
    public static Guid Id(int number) => Guid.Parse($"00000000-0000-4000-8000-{number:D12}");

    public async Task ExecuteAsync(string sql, params object[] parameters)
    {
        await using var command = Command(sql, parameters);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>The first value of the first row.</summary>
    public async Task<T?> AskAsync<T>(string sql, params object[] parameters)
    {
        await using var command = Command(sql, parameters);
        return await command.ExecuteScalarAsync() is T value ? value : default;
    }

    /// <summary>The first column, which is text.</summary>
    public async Task<IReadOnlyList<string>> LinesAsync(string sql, params object[] parameters)
    {
        await using var command = Command(sql, parameters);
        await using var reader = await command.ExecuteReaderAsync();
        var lines = new List<string>();
        while (await reader.ReadAsync()) lines.Add(reader.GetString(0));
        return lines;
    }

    /// <summary>An agency that was never armed, in a zone that is supported from now on.</summary>
    public async Task<Guid> AddAgencyAsync(int number, string timezone = "UTC", string cutoff = "17:00")
    {
        await ExecuteAsync("INSERT INTO supported_timezones (name) VALUES ($1) ON CONFLICT DO NOTHING", timezone);
        await ExecuteAsync(
            "INSERT INTO agencies (id, name, timezone, overdue_cutoff_time) VALUES ($1, $2, $3, $4::time)",
            Id(number), $"Agency {number}", timezone, TimeOnly.Parse(cutoff, null));
        return Id(number);
    }

    /// <summary>
    /// Served through a date; the next date's cutoff is stored where it is given. The settings are older than both.
    /// </summary>
    public Task ServedAsync(Guid agency, string lastDate, string lastAt, string? nextAt = null) => ExecuteAsync(
        """
        UPDATE agency_cutoffs
        SET last_cutoff_date = $2::date, last_cutoff_at = $3::timestamptz,
            next_cutoff_date = CASE WHEN $4 <> '' THEN $2::date + 1 END, next_cutoff_at = nullif($4, '')::timestamptz,
            tzdb_version = CASE WHEN $4 <> '' THEN 'of the silo' END, settings_changed_at = '2020-01-01 00:00Z'
        WHERE agency_id = $1
        """,
        agency, lastDate, lastAt, nextAt ?? "");

    /// <summary>An active plan with one pending installment for each due date; answers their ids.</summary>
    public async Task<Guid[]> AddDueAsync(Guid agency, params string[] dueDates) => (await AskAsync<Guid[]>(
        """
        WITH plan AS (INSERT INTO payment_plans (agency_id) VALUES ($1) RETURNING id), made AS (
          INSERT INTO installments (payment_plan_id, amount, student_due_date)
          SELECT id, 10, due::date FROM plan, unnest($2) AS due
          RETURNING id, student_due_date
        )
        SELECT array_agg(id ORDER BY student_due_date) FROM made
        """,
        agency, dueDates))!;

    /// <summary>What `serve_cutoffs_in_sql` answers at an instant: number of the agency and count.</summary>
    public async Task<IReadOnlyList<string>> ServeAsync(string now, bool asked = false) => await LinesAsync(
        """
        SELECT right(agency_id::text, 12)::int || ': ' || updated_count
        FROM serve_cutoffs_in_sql($1::timestamptz, $2) ORDER BY agency_id
        """,
        now, asked);

    /// <summary>The due dates that are overdue now, of one agency.</summary>
    public async Task<string> OverdueAsync(Guid agency) => (await AskAsync<string>(
        """
        SELECT coalesce(string_agg(to_char(i.student_due_date, 'MM-DD'), ' ' ORDER BY i.student_due_date), '')
        FROM installments i JOIN payment_plans p ON p.id = i.payment_plan_id
        WHERE p.agency_id = $1 AND i.status = 'overdue'
        """,
        agency))!;

    /// <summary>The ledger of one agency: date, instant, serves or beside, status, count, lateness, release.</summary>
    public Task<IReadOnlyList<string>> LedgerAsync(Guid agency) => LinesAsync(
        """
        SELECT concat_ws(' ', coalesce(to_char(cutoff_date, 'MM-DD'), 'no date'),
          coalesce(to_char(cutoff_at AT TIME ZONE 'UTC', 'MM-DD"T"HH24:MI:SS'), 'no instant'),
          CASE WHEN serves_cutoff THEN 'serves' ELSE 'beside' END, status, records_updated,
          'late ' || late_by, split_part(tzdb_version, ' ', 1))
        FROM agency_runs WHERE agency_id = $1 ORDER BY cutoff_date, started_at, id
        """,
        agency);

    /// <summary>Waits, for up to half a minute, until somebody in this database waits for a lock.</summary>
    public async Task UntilSomebodyWaitsForALockAsync()
    {
        for (var look = 0; look < 1_500; look++)
        {
            // PostgreSQL pauses between two looks; no event tells that somebody has begun to wait.
            var waiting = await AskAsync<long>(
                """
                SELECT count(*) FROM pg_sleep(0.02), pg_stat_activity
                WHERE datname = current_database() AND wait_event_type = 'Lock'
                """);
            if (waiting > 0) return;
        }

        throw new TimeoutException("Nobody waits for a lock after 30 seconds.");
    }

    public async ValueTask DisposeAsync()
    {
        await Owner.DisposeAsync();
        await database.DisposeAsync();
    }

    private NpgsqlCommand Command(string sql, object[] parameters)
    {
        var command = Owner.CreateCommand(sql);
        foreach (var parameter in parameters) command.Parameters.Add(new() { Value = parameter });
        return command;
    }
}
