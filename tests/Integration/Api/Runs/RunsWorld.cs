using Actors.Api.Access;
using Actors.Api.Runs;
using Actors.Grains;
using Actors.Grains.Interfaces;
using Actors.Tests.Integration.Grains;
using Actors.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Api.Runs;

/// <summary>
/// A migrated database, one silo with the real grains, and as many processes of the API as a test wants. A run of an
/// agency that the test holds locked goes on until the test lets go of it.
/// </summary>
public sealed class RunsWorld : IAsyncLifetime
{
    private TestDatabase? _database;
    private GrainSilo? _silo;

    public NpgsqlDataSource Owner { get; private set; } = null!;

    /// <summary>Waits for every run, however long this machine takes.</summary>
    internal ApiProcess Patient { get; private set; } = null!;

    /// <summary>Answers 202 at once, and each of the two remembers nothing of the other.</summary>
    internal ApiProcess Hasty { get; private set; } = null!;

    internal TestDatabase Database => _database!;

    internal IGrainFactory Grains => _silo!.Grains;

    public async ValueTask InitializeAsync()
    {
        _database = await TestDatabase.CreateMigratedAsync();
        Owner = NpgsqlDataSource.Create(_database.ConnectionString);
        var options = new GrainOptions
        {
            RetryPauses = [.. Enumerable.Repeat(TimeSpan.FromMilliseconds(20), 2_000)],
        };
        _silo = await GrainSilo.StartAsync(
            _database.SiloConnectionString, options, database: null, new FakeTimeProvider(), TimeProvider.System);
        Patient = await StartApiAsync(new RunLimits { AnswerWithin = TimeSpan.FromMinutes(1) });
        Hasty = await StartApiAsync(new RunLimits { AnswerWithin = TimeSpan.Zero });
    }

    public async ValueTask DisposeAsync()
    {
        if (Hasty is not null) await Hasty.DisposeAsync();
        if (Patient is not null) await Patient.DisposeAsync();
        if (_silo is not null) await _silo.DisposeAsync();
        if (Owner is not null) await Owner.DisposeAsync();
        if (_database is not null) await _database.DisposeAsync();
    }

    /// <summary>Starts a process of the API, which leaves alone what others left, unless it is to resume.</summary>
    internal Task<ApiProcess> StartApiAsync(
        RunLimits limits, IGrainFactory? grains = null, bool resumes = false) => ApiProcess.StartAsync(
        Database, grains ?? Grains, services => services.AddSingleton(
            resumes ? limits : limits with { ResumeEvery = TimeSpan.FromDays(1) }));

    /// <summary>A new key with a scope, and a name of its own unless one is given.</summary>
    public async Task<ApiKey> KeyAsync(string scope = "trigger", string? name = null)
    {
        var key = ApiKey.Create();
        await ExecuteAsync(
            "INSERT INTO api_keys (name, key_hash, scopes) VALUES ($1, $2, string_to_array($3, ' '))",
            name ?? $"key {Guid.NewGuid():N}", key.Hash(), scope);
        return key;
    }

    /// <summary>A served agency with pending installments that were due long ago.</summary>
    public async Task<Guid> AgencyAsync(int due = 0, string name = "any", string zone = "UTC")
    {
        var agency = await ReadAsync<Guid>(
            """
            INSERT INTO agencies (name, timezone, overdue_cutoff_time)
            VALUES ($1, $2, date_trunc('minute', now() AT TIME ZONE 'UTC' - interval '12 hours')::time) RETURNING id
            """, name, zone);
        await ServedAsync(agency);
        if (due > 0) await AddDueAsync(agency, due);
        return agency;
    }

    public Task AddDueAsync(Guid agency, int count) => ExecuteAsync(
        """
        WITH plan AS (INSERT INTO payment_plans (agency_id) VALUES ($1) RETURNING id)
        INSERT INTO installments (payment_plan_id, amount, student_due_date)
        SELECT id, 10, '2020-01-01' FROM plan, generate_series(1, $2)
        """, agency, count);

    /// <summary>Keeps runs of an agency from coming to their end until it is disposed of.</summary>
    public Task<HeldLock> HoldAsync(Guid agency) => HeldLock.OnAgencyAsync(Owner, agency);

    public async Task ExecuteAsync(string sql, params object[] parameters)
    {
        await using var command = Command(sql, parameters);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>The first column of the first row.</summary>
    public async Task<T> ReadAsync<T>(string sql, params object[] parameters)
    {
        await using var command = Command(sql, parameters);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>How many ledger rows of an agency were written for a request, and what they marked.</summary>
    public Task<string> LedgerAsync(Guid agency) => ReadAsync<string>(
        """
        SELECT coalesce(string_agg(records_updated::text, ', ' ORDER BY records_updated DESC, completed_at), '')
        FROM agency_runs WHERE agency_id = $1 AND trigger = 'api'
        """, agency);

    private async Task ServedAsync(Guid agency) => await Grains.GetGrain<IAgencyGrain>(agency).BringUpToDateAsync(
        new RunRequest(RunTrigger.CatchUp, new JobId(Guid.NewGuid())));

    private NpgsqlCommand Command(string sql, object[] parameters)
    {
        var command = Owner.CreateCommand(sql);
        foreach (var parameter in parameters) command.Parameters.Add(new() { Value = parameter });
        return command;
    }
}
