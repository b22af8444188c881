using System.Net;
using Xunit;

namespace Actors.Tests.Cluster;

/// <summary>
/// A PostgreSQL of its own and three silo processes on it, for tests in turn. Each change of an
/// installment's status is written down with the database's time, by a trigger that no silo knows of.
/// </summary>
public sealed class FaultWorld : IAsyncDisposable
{
    private const int Silos = 3;

    private readonly List<SiloProcess> silos = [];

    private FaultWorld(OwnPostgres database) => Database = database;

    public OwnPostgres Database { get; }

    /// <summary>The longer round: how many times as many cutoffs, over as much more time.</summary>
    public static int Rounds { get; } = int.TryParse(
        Environment.GetEnvironmentVariable("ACTORS_TEST_FAULT_ROUNDS"), out var rounds) && rounds > 0 ? rounds : 1;

    /// <summary>
    /// Whether tests run that `./actors test` leaves out, since it has met such a fault in another way already.
    /// </summary>
    public static bool IsLongerRound => Rounds > 1;

    /// <summary>The silos that live; the first is the oldest.</summary>
    public IReadOnlyList<SiloProcess> Living => [.. silos.Where(silo => !silo.HasEnded)];

    /// <summary>Its database; its silos start when somebody needs them.</summary>
    public static async Task<FaultWorld> StartAsync() => new(await StartDatabaseAsync());

    /// <summary>A database that writes down every change of an installment's status, and every sweep.</summary>
    public static async Task<OwnPostgres> StartDatabaseAsync()
    {
        var database = await OwnPostgres.StartAsync();
        await database.ExecuteAsync(
            """
            CREATE TABLE status_changes (
              installment_id uuid NOT NULL, changed_from text NOT NULL, changed_to text NOT NULL,
              at timestamptz NOT NULL);
            CREATE FUNCTION note_status_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
            BEGIN
              INSERT INTO public.status_changes VALUES (NEW.id, OLD.status, NEW.status, clock_timestamp());
              RETURN NULL;
            END $$;
            CREATE TRIGGER note_status_change AFTER UPDATE OF status ON installments
              FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION note_status_change();
            CREATE TABLE expected_cutoffs (
              agency_id uuid PRIMARY KEY, schedule uuid NOT NULL, cutoff_date date NOT NULL,
              cutoff_at timestamptz NOT NULL, apart boolean NOT NULL DEFAULT false);
            CREATE TABLE sweep_log (swept_by text NOT NULL, at timestamptz NOT NULL);
            CREATE FUNCTION note_sweep() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
            BEGIN
              INSERT INTO public.sweep_log VALUES (NEW.swept_by, clock_timestamp());
              RETURN NULL;
            END $$;
            CREATE TRIGGER note_sweep AFTER INSERT OR UPDATE ON sweeps
              FOR EACH ROW EXECUTE FUNCTION note_sweep();
            """);
        return database;
    }

    /// <summary>Starts as many as are missing, together, and waits until they serve.</summary>
    public async Task EnsureSilosAsync()
    {
        foreach (var silo in silos.Where(silo => silo.HasEnded).ToArray())
        {
            silos.Remove(silo);
            await silo.DisposeAsync();
        }

        while (silos.Count < Silos) silos.Add(SiloProcess.Start(Database.SiloConnectionString));
        await Task.WhenAll(silos.Select(silo => silo.ReadyAsync()));
    }

    /// <summary>
    /// Waits until those that live know who is dead, so that no test meets what the one before it has done.
    /// </summary>
    public Task SettleAsync() => Support.Eventually.HoldsAsync(
        "the membership has no silo that is dead", TimeSpan.FromMinutes(1), async () =>
            Living.Count == 0 || await ActiveSilosAsync() <= Living.Count);

    /// <summary>A silo that a test has started becomes one of them.</summary>
    public void Take(SiloProcess silo) => silos.Add(silo);

    /// <summary>All silos are there, and serve agencies whose cutoffs come in the next seconds.</summary>
    public async Task<CutoffSchedule> ArmAsync(int agencies, int seconds, Func<Task>? held = null)
    {
        await EnsureSilosAsync();
        return await CutoffSchedule.ArmAsync(Database, agencies * Rounds, seconds * Rounds, held);
    }

    /// <summary>How many rows of the membership say that their silo is dead.</summary>
    public async Task<long> DeadSilosAsync() => Assert.Single(await Database.ListAsync<long>(
        "SELECT count(*) FROM orleans.silos WHERE status = 6"));

    /// <summary>Stops one silo as a service manager does, and starts another in its place.</summary>
    public async Task ReplaceAsync(SiloProcess silo)
    {
        await silo.TerminateAsync();
        Assert.True(silo.ExitCode == 0, silo.Said);
        await EnsureSilosAsync();
    }

    /// <summary>
    /// Through one fault of the database: nothing is lost, no silo ends, each is ready again. Answers how late cutoffs
    /// were, counted from its end.
    /// </summary>
    public Task<Lateness> ThroughAsync(Func<CutoffSchedule, Task> fault) =>
        ThroughAsync(Promise.DatabaseIsBack, fault);

    /// <summary>The same, where another bound is promised.</summary>
    public async Task<Lateness> ThroughAsync(Bound promise, Func<CutoffSchedule, Task> fault)
    {
        var schedule = await ArmAsync(agencies: 50, seconds: 8);
        var before = Living;
        await schedule.PassedAsync(0.3);
        await schedule.FaultBeginsAsync();
        await fault(schedule);
        await schedule.FaultEndsAsync();
        return await RequireServedByAsync(before, schedule, promise);
    }

    /// <summary>All is served, and these silos live and are ready.</summary>
    public async Task<Lateness> RequireServedByAsync(
        IReadOnlyList<SiloProcess> before, CutoffSchedule schedule, Bound promise)
    {
        var late = await schedule.RequireServedAsync(promise);
        Assert.Equal(before, Living);
        foreach (var silo in before)
        {
            await Support.Eventually.HoldsAsync("every silo is ready again", async () =>
                (await silo.HealthAsync()).Status == HttpStatusCode.OK);
        }

        return late;
    }

    /// <summary>Every silo says what is wrong, and that it is not ready.</summary>
    public async Task NotReadyAsync(string sentence)
    {
        foreach (var silo in Living)
        {
            await silo.SaysAsync(sentence);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, (await silo.HealthAsync()).Status);
        }
    }

    /// <summary>
    /// Sets something for the silos' login, and then, when that is committed, ends every session that was opened
    /// without it.
    /// </summary>
    public async Task AlterSilosAsync(string what)
    {
        await Database.ExecuteAsync($"ALTER ROLE actors_silo {what}");
        await Database.ExecuteAsync(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'actors_silo'");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var silo in silos) await silo.DisposeAsync();
        await Database.DisposeAsync();
    }

    private async Task<long> ActiveSilosAsync() => Assert.Single(await Database.ListAsync<long>(
        "SELECT count(*) FROM orleans.silos WHERE cluster_id = 'faults' AND status = 3"));
}
