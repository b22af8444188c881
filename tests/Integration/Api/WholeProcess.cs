using System.Net;
using System.Text;
using Actors.Api.Access;
using Actors.Silo.Hosting;
using Actors.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Api;

/// <summary>Silo and API in one process on a migrated database of its own, as `up` hosts them, and a key.</summary>
public sealed class WholeProcess : IAsyncLifetime
{
    public const string KeyName = "trigger tests";

    private readonly ApiKey key = ApiKey.Create();
    private TestDatabase? testDatabase;
    private NpgsqlDataSource? database;
    private WebApplication? app;

    public HttpClient Http { get; } = new();

    public async ValueTask InitializeAsync()
    {
        testDatabase = await TestDatabase.CreateMigratedAsync();
        database = NpgsqlDataSource.Create(testDatabase.ConnectionString);
        await new ApiKeyStore(database).AddAsync(
            ApiKeyName.Parse(KeyName, out _)!, key, ApiKeyScopes.TriggerOnly, null, CancellationToken.None);
        app = ActorsHost.Build(new SiloSettings
        {
            SiloConnectionString = testDatabase.SiloConnectionString,
            ApiConnectionString = testDatabase.ApiConnectionString,
            Access = new AccessSettings { Limits = ApiHost.NoLimits },
            Ports = SiloPorts.FindAny(IPAddress.Loopback),
            IsAlone = true,
            Pooler = await TestPooler.OfTheSuiteAsync(),
        });
        await app.StartAsync();
        Http.BaseAddress = ActorsHost.AddressOf(app);
        Http.DefaultRequestHeaders.Add("X-API-Key", key.Reveal());
    }

    public Task<HttpResponseMessage> PostAsync(string path, string? json = null) => Http.PostAsync(
        new Uri(path, UriKind.Relative),
        json is null ? null : new StringContent(json, Encoding.UTF8, "application/json"),
        TestContext.Current.CancellationToken);

    /// <summary>A new agency with nothing due, whose next cutoff is twelve hours away.</summary>
    public Task<Guid> AddAgencyAsync() => ReadAsync<Guid>(
        """
        INSERT INTO agencies (id, name, timezone, overdue_cutoff_time)
        VALUES ($1, 'any', 'UTC', date_trunc('minute', now() AT TIME ZONE 'UTC' - interval '12 hours')::time)
        RETURNING id
        """,
        Guid.NewGuid());

    /// <summary>Adds an active plan with pending installments that were due long ago.</summary>
    public Task AddDueInstallmentsAsync(Guid agency, int count) => ReadAsync<Guid>(
        $"""
        WITH plan AS (
          INSERT INTO payment_plans (id, agency_id, status) VALUES (gen_random_uuid(), $1, 'active') RETURNING id
        )
        INSERT INTO installments (id, payment_plan_id, amount, student_due_date, status)
        SELECT gen_random_uuid(), id, 10, '2020-01-01', 'pending' FROM plan, generate_series(1, {count})
        RETURNING id
        """,
        agency);

    /// <summary>Runs a statement and answers with its first value.</summary>
    public async Task<T> ReadAsync<T>(string sql, Guid parameter)
    {
        await using var command = database!.CreateCommand(sql);
        command.Parameters.Add(new() { Value = parameter });
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

        if (database is not null)
            await database.DisposeAsync();
        if (testDatabase is not null)
            await testDatabase.DisposeAsync();
    }
}
