using Actors.Tests.Integration.Api;
using Actors.Tests.Support;
using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Access;

/// <summary>
/// Every table with every role: what ARCHITECTURE.md says is tried on a database whose tables the migrations made, and
/// compared. So the document is the table of expectations, and cannot say anything else than PostgreSQL does.
/// </summary>
public sealed class TableRightsTests : IAsyncLifetime
{
    private static readonly Guid Admin = Guid.NewGuid();
    private static readonly Guid Other = Guid.NewGuid();

    private TestDatabase database = null!;
    private NpgsqlDataSource owner = null!;
    private NpgsqlDataSource api = null!;
    private NpgsqlDataSource silo = null!;

    /// <summary>The heading's names of callers.</summary>
    private Dictionary<string, TableCaller> Callers => new()
    {
        ["actors_silo itself"] = new(silo),
        ["service_role"] = new(api, "service_role", """{"role":"service_role"}"""),
        ["actors_admin"] = new(api, "actors_admin", Key("actors_admin")),
        ["actors_reader"] = new(api, "actors_reader", Key("actors_reader")),
        ["actors_trigger"] = new(api, "actors_trigger", Key("actors_trigger")),
        ["authenticated, an admin"] = new(api, "authenticated", $$"""{"role":"authenticated","sub":"{{Admin}}"}"""),
        ["authenticated, others"] = new(api, "authenticated", $$"""{"role":"authenticated","sub":"{{Other}}"}"""),
        ["actors_api itself"] = new(api),
        ["anon"] = new(api, "anon", """{"role":"anon"}"""),
    };

    public async ValueTask InitializeAsync()
    {
        database = await TestDatabase.CreateMigratedAsync();
        owner = NpgsqlDataSource.Create(database.ConnectionString);
        api = NpgsqlDataSource.Create(database.ApiConnectionString);
        silo = NpgsqlDataSource.Create(database.SiloConnectionString);
        await ApiKeysTable.ExecuteAsync(owner, TwoRowsInEachTable);
    }

    [Fact]
    public async Task Each_role_may_do_with_each_table_what_the_document_says_and_nothing_else()
    {
        var document = RightsDocument.Read();
        var rights = new TableRights(owner);
        var tables = await rights.TablesAsync();
        Assert.Equal(Callers.Keys.Order(), document.Callers.Order());
        Assert.Equal(tables.Order(), document.Cells.Keys.Select(cell => cell.Table).Distinct().Order());

        var differences = new List<string>();
        foreach (var table in tables)
        {
            foreach (var (name, caller) in Callers)
            {
                var (says, does) = (document.Cells[(table, name)], await rights.OfAsync(caller, table));
                if (says != does) differences.Add($"{table}, {name}: the document says '{says}', PostgreSQL '{does}'");
            }
        }

        Assert.True(differences.Count == 0, string.Join('\n', differences));
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("", "{}")]
    [InlineData("", """{"role":"service_role"}""")]
    [InlineData("authenticated", """{"role":"service_role","app_metadata":{"role":"admin"}}""")]
    [InlineData("authenticated", """{"role":"actors_admin","key_id":"x","name":"x"}""")]
    [InlineData("actors_reader", "of an admin")]
    [InlineData("actors_trigger", "of an admin")]
    public async Task Nobody_is_an_admin_by_what_the_claims_say(string role, string claims)
    {
        var who = await AskAsync<bool>(
            role, claims == "of an admin" ? $$"""{"sub":"{{Admin}}"}""" : claims, "SELECT actors.caller_is_admin()");

        Assert.False(who);
    }

    [Theory]
    [InlineData("", "actors_api")]
    [InlineData("{}", "actors_api")]
    [InlineData("""{"role":"actors_trigger","name":"cron","key_id":"1"}""", "cron")]
    [InlineData("""{"name":"not a key's","sub":"7"}""", "7")]
    [InlineData("""{"name":"x","email":"ada@example.com","sub":"7"}""", "ada@example.com")]
    [InlineData("""{"email":"","sub":"","role":"service_role"}""", "service_role")]
    public async Task A_caller_has_the_name_of_its_key_or_what_the_issuer_vouches_for(string claims, string name) =>
        Assert.Equal(name, await AskAsync<string>("", claims, "SELECT actors.caller_name()"));

    [Fact]
    public async Task The_functions_about_keys_tell_callers_nothing()
    {
        foreach (var role in (string[])["anon", "authenticated", "actors_trigger", "actors_reader", "actors_admin"])
        {
            foreach (var call in (string[])
                ["actors.find_api_key(sha256('1'))", "actors.note_api_key_use(gen_random_uuid())"])
            {
                var refusal = await Assert.ThrowsAsync<PostgresException>(
                    () => AskAsync<object>(role, "", $"SELECT count(*) FROM {call}"));
                Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refusal.SqlState);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await silo.DisposeAsync();
        await api.DisposeAsync();
        await owner.DisposeAsync();
        await database.DisposeAsync();
    }

    private static string Key(string role) => $$"""{"role":"{{role}}","name":"cron","key_id":"{{Guid.Empty}}"}""";

    private async Task<T> AskAsync<T>(string role, string claims, string query)
    {
        await using var connection = await api.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using (var become = new NpgsqlCommand(
            "SELECT set_config('role', coalesce(nullif($1, ''), 'none'), true), "
            + "set_config('request.jwt.claims', $2, true)", connection)
        {
            Parameters = { new() { Value = role }, new() { Value = claims } },
        })
            await become.ExecuteNonQueryAsync();
        await using var ask = new NpgsqlCommand(query, connection);
        return (T)(await ask.ExecuteScalarAsync())!;
    }

    private static readonly string TwoRowsInEachTable =
        $"""
        INSERT INTO user_roles (user_id, role) VALUES ('{Admin}', 'admin'), ('{Other}', 'editor');
        INSERT INTO agencies (id, name) SELECT md5(n::text)::uuid, 'Agency ' || n FROM generate_series(1, 2) AS n;
        INSERT INTO payment_plans (id, agency_id) SELECT id, id FROM agencies;
        INSERT INTO installments (payment_plan_id, student_due_date) SELECT id, '2024-02-01' FROM payment_plans;
        INSERT INTO jobs_log (job_name, started_at, status, metadata)
        SELECT 'update-installment-statuses', now(), 'success', jsonb_build_object('requested_by', asked)
        FROM unnest(ARRAY['cron', 'another', NULL]) AS asked;
        INSERT INTO agency_runs (job_id, agency_id, cutoff_date, cutoff_at, serves_cutoff, trigger, started_at,
          completed_at, status, timezone, overdue_cutoff_time, resolution, tzdb_version)
        SELECT gen_random_uuid(), id, '2024-02-01', now(), true, 'reminder', now(), now(), 'success', 'UTC', '17:00',
          'once', '2026f' FROM agencies;
        INSERT INTO agency_run_undos (agency_run_id, agency_id, undone_at, undone_by, reason, restored_ids)
        SELECT id, agency_id, now(), 'any', 'any', ARRAY[id] FROM agency_runs;
        INSERT INTO run_requests (id, caller_id, requested_by, fingerprint, leased_until)
        SELECT gen_random_uuid(), 'any', asked, sha256('any'), now() FROM unnest(ARRAY['cron', 'another']) AS asked;
        INSERT INTO alerts (kind, severity, dedup_key, message, raised_at)
        SELECT 'run_failed', 'warning', n::text, 'any', now() FROM generate_series(1, 2) AS n;
        INSERT INTO sweeps (job_name, swept_at, swept_by, agencies_found)
        SELECT n::text, now(), 'any', 0 FROM generate_series(1, 2) AS n;
        INSERT INTO api_keys (name, key_hash) SELECT n::text, sha256(n::text::bytea) FROM generate_series(1, 2) AS n;
        INSERT INTO orleans.clusters (cluster_id) VALUES ('1'), ('2');
        INSERT INTO orleans.silos (cluster_id, address, port, generation, silo_name, host_name, status, proxy_port,
          start_time, i_am_alive_time)
        SELECT cluster_id, '127.0.0.1', 1, 1, 'any', 'any', 6, 1, now(), now() FROM orleans.clusters;
        INSERT INTO orleans.reminders (service_id, grain_id, reminder_name, start_time, period, grain_hash)
        SELECT 'any', n::text, 'cutoff', now(), 1, n FROM generate_series(1, 2) AS n;
        """;
}
