using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Actors.Api;
using Actors.Api.Access;
using Actors.Grains;
using Actors.Silo.Hosting;
using Actors.Tests.Integration.Access;
using Actors.Tests.Integration.Api;
using Actors.Tests.Integration.Api.Agencies;
using Actors.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Hosting;

/// <summary>
/// Grains and API through a pgbouncer in transaction mode: one that dies here, and one that the whole suite goes
/// through.
/// </summary>
public sealed class PoolerTests : IAsyncLifetime
{
    private const int Agencies = 300;

    private readonly HttpClient http = new();
    private TestDatabase database = null!;
    private NpgsqlDataSource owner = null!;

    public async ValueTask InitializeAsync()
    {
        database = await TestDatabase.CreateMigratedAsync();
        owner = NpgsqlDataSource.Create(database.ConnectionString);
    }

    [Fact]
    public async Task Grains_and_api_work_through_fewer_connections_than_their_pools_have()
    {
        Assert.SkipWhen(TestPooler.Program is null, "pgbouncer is not installed (Debian's package: pgbouncer)");
        await using var pooler = await TestPooler.StartAsync();
        await ExecuteAsync(
            $"""
            WITH agency AS (
              INSERT INTO agencies (name, timezone) SELECT 'a' || n, 'UTC' FROM generate_series(1, {Agencies}) AS n
              RETURNING id
            ), plan AS (
              INSERT INTO payment_plans (agency_id, status) SELECT id, 'active' FROM agency RETURNING id
            )
            INSERT INTO installments (payment_plan_id, amount, student_due_date, status)
            SELECT id, 10, '2020-01-01', 'pending' FROM plan
            """);
        var key = ApiKey.Create();
        await new ApiKeyStore(owner).AddAsync(
            ApiKeyName.Parse("pooled", out _)!, key, ApiKeyScopes.TriggerOnly, null, CancellationToken.None);
        await using var app = ActorsHost.Build(new SiloSettings
        {
            SiloConnectionString = database.SiloConnectionString,
            ApiConnectionString = database.ApiConnectionString,
            Ports = SiloPorts.FindAny(IPAddress.Loopback),
            IsAlone = true,
            Pooler = pooler.Address,
        });
        await app.StartAsync(TestContext.Current.CancellationToken);
        http.BaseAddress = ActorsHost.AddressOf(app);
        http.DefaultRequestHeaders.Add("X-API-Key", key.Reveal());

        await Eventually.HoldsAsync("the first sweep has marked everything", async () =>
            await ReadAsync<long>("SELECT count(*) FROM installments WHERE status = 'pending'") == 0);
        // Each asks for a connection of its own, twice: for the key, and in the marker.
        var runs = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => RunAllAsync()));
        Assert.All(runs, run => Assert.Equal(Agencies, run.GetProperty("agencies").GetArrayLength()));
        Assert.Equal(
            0L, await ReadAsync<long>("SELECT count(*) FROM jobs_log WHERE status = 'failed' OR error_message <> ''"));
        Assert.InRange(
            await ReadAsync<long>(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                + "AND application_name IN ('actors-silo', 'actors-api')"),
            1,
            TestPooler.ServerConnections);

        // Nothing of it went past the pooler: without it there is no answer, and with it there is again.
        await pooler.KillAsync();
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await http.GetAsync("/health/ready")).StatusCode);
        await pooler.StartProcessAsync();
        // Connections that broke are found one by one, each by a statement that fails.
        await Eventually.HoldsAsync("it is ready again and serves", async () =>
            (await http.GetAsync("/health/ready")).StatusCode == HttpStatusCode.OK
            && (await RunAllAsync()).GetProperty("success").GetBoolean());
        await app.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Every_world_of_the_suite_goes_through_its_pooler()
    {
        Assert.SkipWhen(
            await TestPooler.OfTheSuiteAsync() is null, "pgbouncer is not installed, or ACTORS_TEST_POOLER is 0");
        var port = (await TestPooler.OfTheSuiteAsync())!.Port;
        await using var access = new AccessWorld();
        await access.InitializeAsync();
        await using var agencies = new AgencyApi();
        await agencies.InitializeAsync();
        await using var process = await ApiProcess.StartAsync(database, agencies.World.Silo.Grains);

        NpgsqlDataSource[] pools =
        [
            access.Services.GetRequiredService<ApiDatabase>().Source,
            access.Services.GetRequiredService<GrainDatabase>().Source,
            agencies.Database,
            agencies.World.Silo.Services.GetRequiredService<GrainDatabase>().Source,
            process.Services.GetRequiredService<ApiDatabase>().Source,
        ];
        Assert.All(pools, pool => Assert.Equal(port, new NpgsqlConnectionStringBuilder(pool.ConnectionString).Port));
    }

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        await owner.DisposeAsync();
        await database.DisposeAsync();
    }

    private async Task<JsonElement> RunAllAsync()
    {
        using var answer = await http.PostAsync("/functions/v1/update-installment-statuses", null);
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var command = owner.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private async Task<T> ReadAsync<T>(string sql)
    {
        await using var command = owner.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }
}
