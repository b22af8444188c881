using System.Net;
using Actors.Api.Access;
using Actors.Silo.Hosting;
using Actors.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Api.Contract;

/// <summary>
/// Silo and API in one process, as `up` hosts them, on a database with a few agencies of every kind, and a key that may
/// do everything.
/// </summary>
public class OpenProcess : IAsyncLifetime
{
    private const string SomeAgency = "b0000000-0000-4000-8000-000000000001";

    private readonly ApiKey key = ApiKey.Create();
    private TestDatabase? testDatabase;
    private WebApplication? app;

    /// <summary>How much the API answers at most; by default without limits.</summary>
    public virtual ApiLimits Limits => ApiHost.NoLimits;

    /// <summary>As the owner of the database.</summary>
    public NpgsqlDataSource Database { get; private set; } = null!;

    public HttpClient Http { get; } = new(new SocketsHttpHandler { AllowAutoRedirect = false });

    /// <summary>The key itself, for what sends it otherwise than by <see cref="Http"/>.</summary>
    public string Key => key.Reveal();

    public async ValueTask InitializeAsync()
    {
        testDatabase = await TestDatabase.CreateMigratedAsync();
        Database = NpgsqlDataSource.Create(testDatabase.ConnectionString);
        await new ApiKeyStore(Database).AddAsync(
            ApiKeyName.Parse("contract", out _)!, key, ApiKeyScopes.Of([AccessPolicies.Admin]), null,
            CancellationToken.None);
        await FillAsync();
        app = ActorsHost.Build(new SiloSettings
        {
            SiloConnectionString = testDatabase.SiloConnectionString,
            ApiConnectionString = testDatabase.ApiConnectionString,
            Access = new AccessSettings { Limits = Limits },
            Ports = SiloPorts.FindAny(IPAddress.Loopback),
            IsAlone = true,
            Pooler = await TestPooler.OfTheSuiteAsync(),
        });
        await app.StartAsync();
        Http.BaseAddress = ActorsHost.AddressOf(app);
        Http.DefaultRequestHeaders.Add("X-API-Key", Key);
    }

    /// <summary>
    /// Ids of things that are there, by what their addresses call them, and each time in the same order: `agencies`,
    /// `installments`, `jobs`, `runs`, `agency-runs` (some of which can be undone) and `alerts`. The first sweep is
    /// over by then, and somebody has asked for a run.
    /// </summary>
    public async Task<IReadOnlyDictionary<string, IReadOnlyList<string>>> KnownIdsAsync()
    {
        await Eventually.HoldsAsync("the first sweep is over", TimeSpan.FromMinutes(2), () => ReadAsync<bool>(
            """
            SELECT NOT EXISTS (SELECT FROM jobs_log WHERE status = 'running')
              AND NOT EXISTS (SELECT FROM agencies AS a WHERE NOT EXISTS (
                SELECT FROM agency_runs AS r WHERE r.agency_id = a.id AND r.serves_cutoff))
            """));
        foreach (var path in (string[])[$"/api/agencies/{SomeAgency}/runs", "/api/runs"])
        {
            using var run = await Http.PostAsync(new Uri(path, UriKind.Relative), null);
            run.EnsureSuccessStatusCode();
        }

        var ids = new Dictionary<string, IReadOnlyList<string>>
        {
            ["agencies"] = await IdsAsync("SELECT id FROM agencies ORDER BY id LIMIT 8"),
            ["installments"] = await IdsAsync("SELECT id FROM installments ORDER BY id LIMIT 8"),
            ["jobs"] = await IdsAsync("SELECT id FROM jobs_log ORDER BY started_at, id LIMIT 8"),
            ["runs"] = await IdsAsync("SELECT id FROM run_requests ORDER BY requested_at, id LIMIT 8"),
            ["agency-runs"] = await IdsAsync(
                "SELECT id FROM agency_runs WHERE records_updated > 0 ORDER BY agency_id, cutoff_date LIMIT 8"),
            ["alerts"] = await IdsAsync("SELECT id FROM alerts ORDER BY raised_at, dedup_key LIMIT 8"),
        };
        Assert.All(ids, kind => Assert.True(kind.Value.Count > 0, $"There are no {kind.Key}."));
        return ids;

        async Task<IReadOnlyList<string>> IdsAsync(string sql)
        {
            await using var command = Database.CreateCommand(sql);
            await using var reader = await command.ExecuteReaderAsync();
            var found = new List<string>();
            while (await reader.ReadAsync()) found.Add($"{reader.GetGuid(0)}");
            return found;
        }
    }

    /// <summary>The first column of the first row.</summary>
    public async Task<T> ReadAsync<T>(string sql)
    {
        await using var command = Database.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        if (app is not null)
        {
            await app.StopAsync();
            await app.DisposeAsync();
        }

        if (Database is not null) await Database.DisposeAsync();
        if (testDatabase is not null) await testDatabase.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>Agencies with plans of every status and installments of every status, due and not yet due.</summary>
    protected virtual async Task FillAsync()
    {
        await using var fill = Database.CreateCommand(
            """
            WITH agency AS (
              INSERT INTO agencies (id, name, timezone)
              SELECT ('b0000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 'Agency ' || n,
                     CASE n % 3 WHEN 0 THEN 'UTC' WHEN 1 THEN 'Asia/Tokyo' ELSE 'America/New_York' END
              FROM generate_series(1, 12) AS n
              RETURNING id
            ), plan AS (
              INSERT INTO payment_plans (id, agency_id, status)
              SELECT md5(id || '/' || n)::uuid, id, status
              FROM agency
              CROSS JOIN unnest(ARRAY['active', 'active', 'draft', 'cancelled']) WITH ORDINALITY AS s (status, n)
              RETURNING id
            )
            INSERT INTO installments (id, payment_plan_id, amount, student_due_date, status)
            SELECT md5(plan.id || '/' || n)::uuid, plan.id, 100 + n,
                   CASE WHEN n < 9 THEN date '2026-01-01' + n * 40 END,
                   CASE n % 4 WHEN 3 THEN 'paid' ELSE 'pending' END
            FROM plan CROSS JOIN generate_series(1, 9) AS n;
            INSERT INTO alerts (kind, severity, dedup_key, message, raised_at)
            SELECT 'run_failed', 'critical', 'made up ' || n, 'A run failed.', now() FROM generate_series(1, 5) AS n;
            """);
        await fill.ExecuteNonQueryAsync();
    }
}
