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

    /// <summary>Ids of things that are there: agencies, installments, runs, ledger rows and alerts.</summary>
    public async Task<IReadOnlyList<string>> KnownIdsAsync()
    {
        await using var command = Database.CreateCommand(
            """
            (SELECT id::text FROM agencies LIMIT 8) UNION ALL (SELECT id::text FROM installments LIMIT 8)
            UNION ALL (SELECT id::text FROM jobs_log LIMIT 8) UNION ALL (SELECT id::text FROM agency_runs LIMIT 8)
            UNION ALL (SELECT id::text FROM alerts LIMIT 8)
            """);
        await using var reader = await command.ExecuteReaderAsync();
        var ids = new List<string>();
        while (await reader.ReadAsync()) ids.Add(reader.GetString(0));
        return ids;
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
              INSERT INTO agencies (name, timezone)
              SELECT 'Agency ' || n, CASE n % 3 WHEN 0 THEN 'UTC' WHEN 1 THEN 'Asia/Tokyo' ELSE 'America/New_York' END
              FROM generate_series(1, 12) AS n
              RETURNING id
            ), plan AS (
              INSERT INTO payment_plans (agency_id, status)
              SELECT id, status FROM agency CROSS JOIN unnest(ARRAY['active', 'active', 'draft', 'cancelled']) AS status
              RETURNING id
            )
            INSERT INTO installments (payment_plan_id, amount, student_due_date, status)
            SELECT plan.id, 100 + n, CASE WHEN n < 9 THEN date '2026-01-01' + n * 40 END,
                   CASE n % 4 WHEN 3 THEN 'paid' ELSE 'pending' END
            FROM plan CROSS JOIN generate_series(1, 9) AS n;
            INSERT INTO alerts (kind, severity, dedup_key, message, raised_at)
            SELECT 'run_failed', 'critical', 'made up ' || n, 'A run failed.', now() FROM generate_series(1, 5) AS n;
            """);
        await fill.ExecuteNonQueryAsync();
    }
}
