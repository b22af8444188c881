using System.Net;
using Actors.Grains;
using Actors.Grains.Cutoffs;
using Actors.Silo.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using NodaTime;

namespace Actors.Benchmarks.Databases;

/// <summary>The product's own silo in this process, on its real reminders and clocks.</summary>
internal sealed class SiloUnderTest : IAsyncDisposable
{
    private readonly WebApplication _app;

    private SiloUnderTest(WebApplication app) => _app = app;

    public IServiceProvider Services => _app.Services;

    /// <param name="database">Its database.</param>
    /// <param name="options">Of the grains.</param>
    /// <param name="clock">
    /// In PostgreSQL's place and under the reminders, which are all kept in memory then, as they are where they are due
    /// within a day; null for the real ones.
    /// </param>
    public static async Task<SiloUnderTest> StartAsync(
        BenchmarkDatabase database, GrainOptions? options = null, TimeProvider? clock = null)
    {
        var app = ActorsHost.BuildSilo(new SiloSettings
        {
            SiloConnectionString = database.SiloConnectionString,
            Ports = SiloPorts.FindAny(IPAddress.Loopback),
            IsAlone = true,
            Grains = options ?? new GrainOptions(),
            Clock = clock is null ? DatabaseClock.OfPostgres : DatabaseClock.ReplacedBy(clock),
            ReminderClock = clock,
        });
        if (clock is not null)
        {
            var reminders = app.Services.GetRequiredService<IOptions<ReminderOptions>>().Value;
            reminders.RefreshReminderListPeriod = TimeSpan.FromHours(6);
            reminders.ReminderLoadingWindow = TimeSpan.FromHours(49);
        }

        await app.StartAsync();
        return new SiloUnderTest(app);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}

/// <summary>Arms agencies, and moves their cutoffs to a moment that suits a measurement.</summary>
internal static class Arming
{
    /// <summary>
    /// Has the product arm every agency for a cutoff that is far off, and stops the silo: so a later one finds its
    /// reminders, and no grain in memory, as on any day.
    /// </summary>
    public static async Task ArmAsync(this BenchmarkDatabase database)
    {
        var now = await database.NowAsync();
        await database.SetCutoffAsync(now.Plus(Duration.FromHours(3)), isArmed: false);
        await using var silo = await SiloUnderTest.StartAsync(database);
        await database.UntilArmedAsync();
    }

    /// <summary>Waits until every agency has its next cutoff and its reminder.</summary>
    public static Task UntilArmedAsync(this BenchmarkDatabase database) => database.UntilAsync(
        "every agency is armed", every: TimeSpan.FromMilliseconds(250),
        """
        SELECT CASE WHEN NOT EXISTS (SELECT FROM agency_cutoffs WHERE next_cutoff_at IS NULL) THEN
          (SELECT count(*) FROM agencies) = (SELECT count(*) FROM orleans.reminders WHERE reminder_name = 'cutoff')
          ELSE false END
        """);

    /// <summary>
    /// Agencies that are new have cutoffs 2 to 22 hours from now, each its own. No silo may run meanwhile.
    /// </summary>
    public static async Task SpreadAsync(this BenchmarkDatabase database)
    {
        await database.ExecuteAsync("ALTER TABLE agencies DISABLE TRIGGER USER");
        await database.ExecuteAsync(
            """
            UPDATE agencies a
            SET overdue_cutoff_time = date_trunc('second',
              (@now AT TIME ZONE 'UTC') + interval '2 hours' + interval '20 hours' * s.share)::time
            FROM (
              SELECT id, (row_number() OVER (ORDER BY id) - 1)::double precision / count(*) OVER () AS share
              FROM agencies) AS s
            WHERE s.id = a.id
            """,
            ("now", await database.NowAsync()));
        await database.ExecuteAsync("ALTER TABLE agencies ENABLE TRIGGER USER");
        await database.ExecuteAsync("VACUUM (ANALYZE)");
    }

    /// <summary>
    /// Every agency has its next cutoff at this instant, a whole second, and was served on the day before; so do the
    /// reminders, where they are there. No silo may run meanwhile.
    /// </summary>
    public static async Task SetCutoffAsync(this BenchmarkDatabase database, Instant at, bool isArmed = true)
    {
        await database.ExecuteAsync("ALTER TABLE agencies DISABLE TRIGGER USER");
        await database.ExecuteAsync(
            "UPDATE agencies SET overdue_cutoff_time = (@at AT TIME ZONE 'UTC')::time", ("at", at));
        await database.ExecuteAsync("ALTER TABLE agencies ENABLE TRIGGER USER");
        await database.ExecuteAsync(
            """
            UPDATE agency_cutoffs
            SET last_cutoff_date = @date - 1, last_cutoff_at = @at - interval '1 day',
                next_cutoff_date = CASE WHEN @is_armed THEN @date END,
                next_cutoff_at = CASE WHEN @is_armed THEN @at END,
                settings_changed_at = @at - interval '30 days'
            """,
            ("at", at), ("date", at.InUtc().Date), ("is_armed", isArmed));
        await database.ExecuteAsync(
            "UPDATE orleans.reminders SET start_time = @at WHERE reminder_name = 'cutoff'", ("at", at));
        await database.ExecuteAsync("VACUUM (ANALYZE) agencies, agency_cutoffs, orleans.reminders");
    }
}
