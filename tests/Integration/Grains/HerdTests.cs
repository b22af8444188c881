using System.Collections.Concurrent;
using Actors.Grains.Interfaces;
using Actors.Tests.Support;
using NodaTime;
using Xunit;

namespace Actors.Tests.Integration.Grains;

/// <summary>Ten thousand agencies whose cutoffs come at one instant, on the pools of one silo.</summary>
public sealed class HerdTests(PausingWorld world) : IClassFixture<PausingWorld>
{
    private const int Agencies = 10_000;

    /// <summary>By `application_name`: that of the grains, and that of Orleans itself.</summary>
    private static readonly Dictionary<string, long> Bounds = new()
    {
        ["actors-silo"] = 16, ["actors-orleans"] = 40,
    };

    [Fact]
    public async Task Ten_thousand_ticks_at_once_wait_for_each_other_in_memory_and_for_no_connection()
    {
        world.Clock.Now = GrainWorld.At("2031-10-01T17:00:00Z") + Duration.FromMilliseconds(1);
        await world.ExecuteAsync("INSERT INTO supported_timezones (name) VALUES ('UTC') ON CONFLICT DO NOTHING");
        var agencies = await world.ListAsync<Guid>(
            """
            WITH agency AS (
              INSERT INTO agencies (name, timezone, overdue_cutoff_time)
              SELECT 'herd', 'UTC', '17:00' FROM generate_series(1, $1)
              RETURNING id
            ), plan AS (
              INSERT INTO payment_plans (agency_id, status) SELECT id, 'active' FROM agency RETURNING id
            ), installment AS (
              INSERT INTO installments (payment_plan_id, amount, student_due_date, status)
              SELECT id, 10, '2031-10-01', 'pending' FROM plan
            )
            SELECT id FROM agency
            """, Agencies);
        var most = new ConcurrentDictionary<string, long>();

        var herd = Task.WhenAll(agencies.Select(agency => world.BringUpToDateAsync(agency)));
        await Eventually.HoldsAsync("the herd has passed", TimeSpan.FromMinutes(2), async () =>
        {
            foreach (var application in Bounds.Keys) most[application] = Math.Max(
                most.GetValueOrDefault(application), await SessionsAsync(application));
            return herd.IsCompleted || world.Pauses.AnyBegun;
        });

        // Whoever waits too long for a connection is told so, and tries again after a pause.
        Assert.False(world.Pauses.AnyBegun, "somebody failed, and paused before trying again");
        Assert.All(await herd, result => Assert.Equal(
            (AgencyRunOutcome.UpToDate, 1), (result.Outcome, result.RecordsUpdated)));
        Assert.All(Bounds, bound => Assert.InRange(most[bound.Key], 1, bound.Value));
        Assert.Equal((long)Agencies, await world.ReadAsync<long>(
            "SELECT sum(records_updated) FROM agency_runs WHERE cutoff_date = '2031-10-01'"));
        // The coordinator hears of it from whoever marked the last of them, and not by its next sweep.
        await Eventually.HoldsAsync("the herd's run is closed", TimeSpan.FromSeconds(10), () => world.ReadAsync<bool>(
            "SELECT bool_and(status = 'success') FROM jobs_log WHERE metadata ->> 'trigger' = 'reminder'"));
    }

    private Task<long> SessionsAsync(string application) => world.ReadAsync<long>(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1",
        application);
}
