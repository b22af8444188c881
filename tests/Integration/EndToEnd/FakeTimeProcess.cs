using System.Net;
using Actors.Grains.Cutoffs;
using Actors.Grains.Interfaces;
using Actors.Silo.Hosting;
using Actors.Tests.Integration.Cluster;
using Actors.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using NodaTime;
using Npgsql;

namespace Actors.Tests.Integration.EndToEnd;

/// <summary>
/// The whole process on a real database, with one clock, which only the test moves, under Orleans' reminders and in the
/// database's place. It can be stopped and started again; clock, database and reminders stay.
/// </summary>
internal sealed class FakeTimeProcess : IAsyncDisposable
{
    /// <summary>
    /// The clock goes from cutoff to cutoff, in steps no longer than this, which is also how often the silo reads its
    /// reminders anew. They are all kept in memory, so that a test can wait until each is armed before the clock moves.
    /// </summary>
    private static readonly Duration LongestStep = Duration.FromHours(6);

    private static readonly TimeSpan LoadingWindow = TimeSpan.FromHours(49);

    private readonly TestDatabase _database;
    private readonly NpgsqlDataSource _source;
    private readonly FakeTimeProvider _time;
    private readonly ReminderWatch _watch = new();
    private WebApplication? _app;

    private FakeTimeProcess(TestDatabase database, Instant start)
    {
        _database = database;
        _time = new FakeTimeProvider(start.ToDateTimeOffset());
        var builder = new NpgsqlDataSourceBuilder(database.ConnectionString);
        builder.UseNodaTime();
        _source = builder.Build();
    }

    public Instant Now => Instant.FromDateTimeOffset(_time.GetUtcNow());

    public static async Task<FakeTimeProcess> StartAsync(Instant start)
    {
        var process = new FakeTimeProcess(await TestDatabase.CreateMigratedAsync(), start);
        await process.StartAsync();
        return process;
    }

    /// <summary>On other ports than before, as on another machine.</summary>
    public async Task StartAsync()
    {
        var ports = SiloPorts.FindAny(IPAddress.Loopback);
        _watch.Follow(ports.Silo);
        _app = ActorsHost.Build(new SiloSettings
        {
            SiloConnectionString = _database.SiloConnectionString,
            Pooler = await TestPooler.OfTheSuiteAsync(),
            Ports = ports,
            Clock = DatabaseClock.ReplacedBy(_time),
            ReminderClock = _time,
        });
        var reminders = _app.Services.GetRequiredService<IOptions<ReminderOptions>>().Value;
        reminders.RefreshReminderListPeriod = LongestStep.ToTimeSpan();
        reminders.ReminderLoadingWindow = LoadingWindow;
        await _app.StartAsync();
    }

    public async Task StopAsync()
    {
        await _app!.StopAsync();
        await _app.DisposeAsync();
        _app = null;
    }

    /// <summary>Time that passes while nobody runs.</summary>
    public void Advance(Duration duration) => _time.Advance(duration.ToTimeSpan());

    /// <summary>
    /// Goes from cutoff to cutoff until an instant. Every agency whose cutoff is reached has answered its tick, and
    /// everybody's next tick is armed, before the clock goes on.
    /// </summary>
    public async Task RunUntilAsync(Instant end)
    {
        await ArmedAsync();
        while (Now < end)
        {
            var due = await DueNextAsync();
            var target = Instant.Min(Instant.Min(due.At, end), Now + LongestStep);
            var ticks = (await ArmedAsync()).Ticks.Count(IsCutoff);
            _time.Advance((target - Now).ToTimeSpan());
            var expected = target == due.At ? ticks + due.Agencies : ticks;
            await _watch.UntilAsync(
                $"{expected} ticks were answered by {target}", state => state.Ticks.Count(IsCutoff) >= expected);
        }
    }

    /// <summary>Until a statement answers true; asked again whenever the coordinator has swept.</summary>
    public async Task SweptUntilAsync(string sql)
    {
        var coordinator = _app!.Services.GetRequiredService<IGrainFactory>()
            .GetGrain<ICoordinatorGrain>(JobNames.UpdateInstallmentStatuses);
        for (var sweep = 0; sweep < 200; sweep++)
        {
            await coordinator.SweepAsync();
            if (await AskAsync<bool>(sql)) return;
        }

        throw new TimeoutException($"After 200 sweeps it was not true: {sql}");
    }

    /// <summary>The first column of the first row.</summary>
    public async Task<T> AskAsync<T>(string sql, params NpgsqlParameter[] parameters)
    {
        await using var command = _source.CreateCommand(sql);
        command.Parameters.AddRange(parameters);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>The first column of every row, as text.</summary>
    public async Task<IReadOnlyList<string>> RowsAsync(string sql)
    {
        await using var command = _source.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<string>();
        while (await reader.ReadAsync()) rows.Add(reader.GetString(0));
        return rows;
    }

    public async ValueTask DisposeAsync()
    {
        if (_app is not null) await StopAsync();
        _watch.Dispose();
        await _source.DisposeAsync();
        await _database.DisposeAsync();
    }

    private static bool IsCutoff(ReminderWatch.Tick tick) => tick.Name == "cutoff";

    private async Task<ReminderWatch.State> ArmedAsync()
    {
        var grains = _app!.Services.GetRequiredService<IGrainFactory>();
        var agencies = (await AskAsync<Guid[]>("SELECT array_agg(id) FROM agencies"))
            .Select(id => grains.GetGrain<IAgencyGrain>(id).GetGrainId())
            .ToList();
        return await _watch.UntilAsync(
            "each agency's reminder is armed", state => agencies.TrueForAll(id => state.IsArmedOnce(id, "cutoff")));
    }

    private async Task<(Instant At, int Agencies)> DueNextAsync()
    {
        await using var command = _source.CreateCommand(
            "SELECT next_cutoff_at, count(*)::integer FROM agency_cutoffs GROUP BY 1 ORDER BY 1 LIMIT 1");
        await using var reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        return (reader.GetFieldValue<Instant>(0), reader.GetInt32(1));
    }
}
