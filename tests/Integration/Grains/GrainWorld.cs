using Actors.Grains;
using Actors.Grains.Interfaces;
using Actors.Tests.Support;
using Microsoft.Extensions.Time.Testing;
using NodaTime;
using NodaTime.Text;
using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Grains;

/// <summary>
/// A migrated database and a silo on it. Every test moves the database's clock to where it wants it; two tests of one
/// world use different days, since a run is known by its instant.
/// </summary>
public class GrainWorld : IAsyncLifetime
{
    private static readonly TimeSpan[] NoPauses = [TimeSpan.Zero, TimeSpan.Zero, TimeSpan.Zero];

    private GrainSilo? _silo;
    private TestDatabase? _database;
    private NpgsqlDataSource? _owner;

    /// <summary>
    /// Short pauses, so that what is tried again is tried at once; a test that counts them sets its own.
    /// </summary>
    internal virtual GrainOptions Options { get; } = new() { RetryPauses = NoPauses, DatesPerTransaction = 10 };

    internal StandingClock Clock { get; } = new();

    internal PauseClock Pauses { get; } = new();

    internal FakeTimeProvider Reminders { get; } = new(new DateTimeOffset(2031, 1, 1, 0, 0, 0, TimeSpan.Zero));

    internal GrainSilo Silo => _silo!;

    internal ICoordinatorGrain Coordinator => Silo.Coordinator;

    public NpgsqlDataSource Owner => _owner!;

    public string SiloConnectionString => _database!.SiloConnectionString;

    public static Instant At(string instant) => InstantPattern.General.Parse(instant).Value;

    public static LocalDate Date(string date) => LocalDatePattern.Iso.Parse(date).Value;

    public async ValueTask InitializeAsync()
    {
        _database = await TestDatabase.CreateMigratedAsync();
        var builder = new NpgsqlDataSourceBuilder(_database.ConnectionString);
        builder.UseNodaTime();
        _owner = builder.Build();
        _silo = await GrainSilo.StartAsync(SiloConnectionString, Options, Clock, Reminders, Pauses);
        // The first sweep comes with the coordinator's activation; from here on it sweeps when a test asks.
        await Coordinator.SweepAsync();
    }

    /// <summary>A silo that knows nothing of the world's own, as after a partition; the caller stops it.</summary>
    internal Task<GrainSilo> StartOtherClusterAsync() =>
        GrainSilo.StartAsync(SiloConnectionString, Options, Clock, Reminders, Pauses, "other");

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_silo is not null) await _silo.DisposeAsync();
        if (_owner is not null) await _owner.DisposeAsync();
        if (_database is not null) await _database.DisposeAsync();
    }

    /// <summary>Removes every agency and alert; ledger and runs stay.</summary>
    public Task ClearAsync() => ExecuteAsync("DELETE FROM agencies; DELETE FROM alerts");

    public async Task<Guid> AddAgencyAsync(string zone = "UTC", string cutoffTime = "17:00")
    {
        await ExecuteAsync("INSERT INTO supported_timezones (name) VALUES ($1) ON CONFLICT DO NOTHING", zone);
        return await ReadAsync<Guid>(
            "INSERT INTO agencies (name, timezone, overdue_cutoff_time) "
            + "VALUES ('any', $1, $2::text::time) RETURNING id",
            zone, cutoffTime);
    }

    /// <summary>Changes the zone as an application does, also to one that nobody knows.</summary>
    public async Task MoveAsync(Guid agency, string zone)
    {
        await ExecuteAsync("INSERT INTO supported_timezones (name) VALUES ($1) ON CONFLICT DO NOTHING", zone);
        await ExecuteAsync("UPDATE agencies SET timezone = $2 WHERE id = $1", agency, zone);
    }

    /// <summary>An agency that was served up to this instant, and has nothing due.</summary>
    public async Task<Guid> AddServedAgencyAsync(string now, string zone = "UTC", string cutoffTime = "17:00")
    {
        Clock.Now = At(now);
        var agency = await AddAgencyAsync(zone, cutoffTime);
        await BringUpToDateAsync(agency, RunTrigger.CatchUp);
        return agency;
    }

    /// <summary>An installment under a plan of its own.</summary>
    public Task<Guid> AddInstallmentAsync(
        Guid agency, string? due, string status = "pending", string plan = "active") => ReadAsync<Guid>(
        $"""
        WITH plan AS (INSERT INTO payment_plans (agency_id, status) VALUES ($1, '{plan}') RETURNING id)
        INSERT INTO installments (payment_plan_id, amount, student_due_date, status)
        SELECT id, 10, $2::text::date, '{status}' FROM plan RETURNING id
        """, agency, due);

    internal Task<AgencyRunResult> BringUpToDateAsync(
        Guid agency, RunTrigger trigger = RunTrigger.Reminder, GrainSilo? silo = null) =>
        (silo ?? Silo).Grains.GetGrain<IAgencyGrain>(agency).BringUpToDateAsync(
            new RunRequest(trigger, trigger == RunTrigger.Reminder ? null : new JobId(Guid.NewGuid())));

    internal IAgencyGrain Grain(Guid agency) => Silo.Grains.GetGrain<IAgencyGrain>(agency);

    /// <summary>What is noted of an agency, as `kind by reason details`, in the order in which it was done.</summary>
    public Task<List<string>> ChangesAsync(Guid agency) => ListAsync<string>(
        "SELECT concat_ws(' ', kind, changed_by, reason, details) FROM agency_changes WHERE agency_id = $1 ORDER BY id",
        agency);

    public Task<string> StatusOfAsync(Guid installment) =>
        ReadAsync<string>("SELECT status::text FROM installments WHERE id = $1", installment);

    /// <summary>
    /// The ledger rows of an agency that serve a cutoff, as `date status count`, in the order of dates.
    /// </summary>
    public Task<List<string>> LedgerAsync(Guid agency) => ListAsync<string>(
        """
        SELECT concat_ws(' ', cutoff_date, status, records_updated) FROM agency_runs
        WHERE agency_id = $1 AND serves_cutoff ORDER BY cutoff_date
        """, agency);

    /// <summary>Waits until the run is closed, and answers its status.</summary>
    public async Task<string> StatusOfClosedAsync(Guid job)
    {
        await Eventually.HoldsAsync($"run {job} was closed", async () =>
            await ReadAsync<bool>(
                "SELECT EXISTS (SELECT FROM jobs_log WHERE id = $1 AND status <> 'running')", job));
        return await ReadAsync<string>("SELECT status FROM jobs_log WHERE id = $1", job);
    }

    /// <summary>
    /// When the reminder will tick, told by the database's clock: Orleans counts by its own, from the arming on.
    /// </summary>
    public async Task<Instant> ArmedForAsync(Guid agency)
    {
        var start = await ReadAsync<Instant>(
            "SELECT start_time FROM orleans.reminders WHERE grain_id = $1", $"agency/{agency:N}");
        return Clock.Now + (start - Instant.FromDateTimeOffset(Reminders.GetUtcNow()));
    }

    /// <summary>Gives an agency a tick of its reminder, as Orleans gives it.</summary>
    public Task TickAsync(Guid agency, Instant first) => Silo.Grains.GetGrain<IAgencyGrain>(agency)
        .AsReference<IRemindable>()
        .ReceiveReminder(
            "cutoff",
            new TickStatus(first.ToDateTimeUtc(), TimeSpan.FromDays(1), Clock.Now.ToDateTimeUtc()),
            CancellationToken.None);

    public Task<long> OpenAlertsAsync(string dedupKey) => ReadAsync<long>(
        "SELECT count(*) FROM alerts WHERE dedup_key = $1 AND resolved_at IS NULL", dedupKey);

    public async Task ExecuteAsync(string sql, params object?[] parameters)
    {
        await using var command = Command(sql, parameters);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>The first column of the one row.</summary>
    public async Task<T> ReadAsync<T>(string sql, params object?[] parameters) =>
        Assert.Single(await ListAsync<T>(sql, parameters));

    /// <summary>The first column of all rows.</summary>
    public async Task<List<T>> ListAsync<T>(string sql, params object?[] parameters)
    {
        await using var command = Command(sql, parameters);
        await using var reader = await command.ExecuteReaderAsync();
        var values = new List<T>();
        while (await reader.ReadAsync()) values.Add(await reader.GetFieldValueAsync<T>(0));
        return values;
    }

    private NpgsqlCommand Command(string sql, object?[] parameters)
    {
        var command = Owner.CreateCommand(sql);
        foreach (var parameter in parameters) command.Parameters.Add(new() { Value = parameter ?? DBNull.Value });
        return command;
    }
}

/// <summary>A world whose grains pause as long as in production, on a clock that the test moves.</summary>
public sealed class PausingWorld : GrainWorld
{
    internal override GrainOptions Options { get; } = new();
}
