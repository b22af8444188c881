using Actors.Grains;
using Actors.Tests.Simulation.Application;
using Actors.Tests.Simulation.Machine;
using Actors.Tests.Simulation.Oracle;
using Actors.Tests.Simulation.Silos;
using Actors.Tests.Simulation.Wire;
using Actors.Tests.Support;
using NodaTime;

namespace Actors.Tests.Simulation;

/// <summary>Which world: the same three numbers are the same world, to the last statement.</summary>
internal sealed record WorldSettings(ulong Seed, int Agencies = 20, int Days = 40);

/// <summary>
/// One simulated world on a server of its own. The real grains, marker, stores and SQL run on one thread under a
/// clock that stands still while they do. Whenever all of them wait, the world lets one statement pass, or
/// something happen to it; when there is none, it lets the clock go on to what comes next. Chance decides all of
/// it, by the seed.
/// </summary>
internal sealed class World : IDisposable
{
    private static readonly Duration SweepPeriod = Duration.FromSeconds(15);
    private static readonly Duration LastCalm = Duration.FromMinutes(50);
    private const int DaysBetweenTidying = 10;

    private readonly Chance _chance;
    private readonly Agenda _agenda;
    private readonly Processor _processor = new();
    private readonly AuditTrail _audit;
    private readonly Bureau _bureau;
    private readonly Network _network;
    private readonly Cluster _cluster;
    private readonly Statements _statements;
    private readonly Facts _facts = new();
    private readonly Diary _diary;
    private readonly Storms _storms;
    private readonly Judge _judge;
    private readonly Review _review;
    private readonly Weather _weather;
    private readonly Life _life;
    private readonly Instant _end;
    private Instant? _sweepAt;
    private Instant _lastWatch = Instant.MinValue;
    private int _watchesInVain;
    private int _days;
    private bool _isDirty = true;
    private int _sweepsInVain;

    private World(WorldSettings settings, TestDatabase database, TextWriter? trace)
    {
        _chance = new Chance(settings.Seed);
        var start = Seasons.Start(_chance.Fork());
        _end = start + Duration.FromDays(settings.Days);
        _agenda = new Agenda(start);
        _diary = new Diary(_agenda, trace);
        _audit = new AuditTrail(database.SuperuserConnectionString);
        _bureau = new Bureau(database.ConnectionString, _audit);
        _storms = new Storms(_agenda, _chance.Fork());
        _network = new Network(database.SiloConnectionString, _processor, _audit);
        _cluster = new Cluster(_agenda, _processor, _network, _chance.Fork(), _storms, Limits(_chance.Fork()));
        _cluster.Reminders.Ticked = _cluster.Tick;
        _judge = new Judge(_facts, _storms, _agenda, _diary.Tell);
        _review = new Review(_facts, _audit);
        var desk = new Desk(_bureau, _facts, _agenda, _chance.Fork(), _storms, _diary);
        _life = new Life(desk, _cluster, settings.Agencies)
        {
            IsDatabaseAway = () => _network.IsDown,
            AgencyChanged = Nudge,
            Acted = Look,
        };
        _statements = new Statements(_network, _cluster, _storms, _life, _agenda, _diary, _audit, _chance.Fork())
        {
            Judged = Look,
        };
        _weather = new Weather(_agenda, _cluster, _network, _storms, _chance.Fork(), _diary, NextCutoff);
    }

    /// <summary>Makes the world and lets it run to its end.</summary>
    /// <exception cref="ViolationException">What must never be was; the last lines of the diary tell how.</exception>
    public static async Task<Report> RunAsync(WorldSettings settings, TestServer server, TextWriter? trace = null)
    {
        await using var database = await TestDatabase.CreateMigratedAsync(server);
        // A thread of its own: whatever waits, waits for this one alone.
        return await Task.Factory.StartNew(
            () => RunOn(database, settings, trace), CancellationToken.None, TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
    }

    private static Report RunOn(TestDatabase database, WorldSettings settings, TextWriter? trace)
    {
        using var world = new World(settings, database, trace);
        try
        {
            world.Run();
        }
        catch (Exception error)
        {
            throw Explained(error, settings, world._diary);
        }

        return new Report(
            settings, world._diary.Digest, world._diary.Step, world._facts.CutoffsServed, world._facts.OnTime,
            world._facts.Marked, world._storms.Counts, world._facts.WorstLateness, world._facts.WorstUnexcused);
    }

    public void Dispose()
    {
        _network.Dispose();
        _cluster.Dispose();
        _bureau.Dispose();
        _audit.Dispose();
        _processor.Dispose();
    }

    private void Run()
    {
        _life.Begin(Seasons.Zones);
        _weather.Begin();
        _agenda.After(Duration.FromDays(1), EndDay);
        SweepAnyway();
        RunUntil(_end);

        _storms.IsCalm = true;
        _diary.Tell("everything is well from here on");
        _weather.Clear();
        _life.Quieten();
        SweepAnyway();
        RunUntil(_end + LastCalm);
        RunUntil(_agenda.Now, isSettling: true);
        _review.EverythingAgrees();
        _review.NothingIsLeft(_agenda.Now);
    }

    private void RunUntil(Instant end, bool isSettling = false)
    {
        while (true)
        {
            _network.Settle();
            if (_statements.ServeOne())
            {
                _isDirty = true;
                continue;
            }

            if (isSettling && _agenda.Next > end) return;
            Look();
            ConsiderSweeping();
            if (_agenda.Next is not { } next || next > end)
            {
                if (isSettling) return;
                _agenda.GoTo(end);
                return;
            }

            if (_cluster.Alive.Count == 0 || _network.IsDown) _storms.Disturb(next);
            _judge.LookAhead(next);
            _agenda.RunNext();
            Look();
        }
    }

    /// <summary>Takes what was committed since it last looked, and has it judged.</summary>
    private void Look()
    {
        var rows = _audit.TakeAll();
        if (rows.Count == 0) return;
        (_isDirty, _sweepsInVain, _watchesInVain) = (true, 0, 0);
        _judge.Look(rows, pid => pid == _bureau.Pid ? _diary.Step : _statements.StepOf(pid));
    }

    private void EndDay()
    {
        Look();
        _review.EverythingAgrees();
        if (_days++ % DaysBetweenTidying == 0) _audit.Tidy();
        _cluster.KeepHouse();
        _diary.Tell($"a day has ended; {_facts.CutoffsServed} cutoffs, {_facts.Marked} marked");
        _agenda.After(Duration.FromDays(1), EndDay);
    }

    /// <summary>
    /// A silo sweeps every fifteen seconds. Here it does when there is something to be found, as the database says, and
    /// twice a day besides; a sweep that finds nothing changes nothing.
    /// </summary>
    private void ConsiderSweeping()
    {
        if (!_isDirty) return;
        _isDirty = false;
        if (WantedAt() is not { } wanted) return;
        var least = _cluster.LastSweep + (_cluster.HasCoordinator ? SweepPeriod : Duration.FromMinutes(1));
        var earliest = Instant.Max(Instant.Max(wanted, least), _agenda.Now);
        ScheduleSweep(earliest + _chance.Between(Duration.Zero, SweepPeriod));
    }

    private Instant? WantedAt()
    {
        if (_cluster.Alive.Count == 0) return WatchdogWantedAt();
        _watchesInVain = 0;
        if (_facts.OpenRuns.Count == 0) return _audit.WantedAt;
        // A run that is not done yet is looked at again and again, less and less often.
        var again = _cluster.LastSweep + SweepPeriod * (1 << Math.Min(_sweepsInVain, 3));
        return _audit.WantedAt is { } at ? Instant.Min(at, again) : again;
    }

    /// <summary>
    /// Without a silo nobody computes the next cutoff; the watchdog need not come before there is one.
    /// </summary>
    private Instant? WatchdogWantedAt()
    {
        if (!_weather.HasWatchdog) return null;
        var cutoff = _facts.Agencies.Values.Where(agency => !agency.IsPaused.Now).Min(agency => agency.NextCutoff);
        // Whom it cannot serve it finds again and again; here it looks less and less often.
        var again = _lastWatch + Duration.FromMinutes(1) * (1 << Math.Min(_watchesInVain, 9));
        return _watchesInVain > 0 && cutoff < again ? again : cutoff;
    }

    private void ScheduleSweep(Instant at)
    {
        if (_sweepAt is { } planned && planned <= at && planned > _agenda.Now) return;
        _sweepAt = at;
        _agenda.At(at, () =>
        {
            if (_sweepAt != at) return;
            _sweepAt = null;
            // By now a reminder has mostly done what there was to be done.
            if (WantedAt() <= at) Sweep();
            else _isDirty = true;
        });
    }

    /// <summary>Some sweeps that the database does not ask for: they resolve alerts, and find what it hides.</summary>
    private void SweepAnyway() => _agenda.After(_storms.IsCalm ? LastCalm / 4 : Duration.FromHours(12), () =>
    {
        Sweep();
        SweepAnyway();
    });

    private void Sweep()
    {
        _sweepsInVain++;
        _isDirty = true;
        if (_cluster.Alive.Count > 0) _cluster.Sweep();
        else if (_weather.HasWatchdog && !_network.IsDown) Watch();
        Look();
    }

    private void Watch()
    {
        _lastWatch = _agenda.Now;
        _watchesInVain++;
        _life.Watchdog();
    }

    private Instant? NextCutoff() => _facts.Agencies.Values
        .Where(agency => !agency.IsPaused.Now && agency.NextCutoff > _agenda.Now).Min(agency => agency.NextCutoff);

    /// <summary>PostgreSQL tells the silos that an agency has changed; now and then nobody hears it.</summary>
    private void Nudge()
    {
        _isDirty = true;
        if (_network.IsDown || _chance.Percent(30)) return;
        _cluster.CallCoordinatorAsync(coordinator => coordinator.SweepAsync()).Ignore();
    }

    /// <summary>Small limits make waves, halvings and queues of what would fit into one.</summary>
    private static GrainOptions Limits(Chance chance) => new()
    {
        BatchSize = chance.Of([2, 5, 256, 256]),
        MarkingWorkers = chance.Of([1, 2, 2, 3]),
        DatesPerTransaction = chance.Of([1, 3, 31, 31]),
        WaveSize = chance.Of([3, 2_560, 2_560]),
        AgenciesInFlight = chance.Of([2, 512, 512]),
    };

    private static InvalidOperationException Explained(Exception error, WorldSettings settings, Diary diary) => new(
        $"""
        seed {settings.Seed}, step {diary.Step}: {(error is ViolationException ? error.Message : error.ToString())}
        replay: ./actors simulate --seed {settings.Seed} --agencies {settings.Agencies} --days {settings.Days} --trace
        {string.Join('\n', diary.LastLines)}
        """, error);
}

/// <summary>What came of a world.</summary>
/// <param name="Digest">Of everything that happened: the same for every run of the same world.</param>
/// <param name="Steps">Statements that passed, and changes by the application.</param>
/// <param name="OnTime">How many cutoffs were served within a second.</param>
/// <param name="Faults">How many of each kind.</param>
/// <param name="WorstLateness">By the ledger's own count, whatever was wrong.</param>
/// <param name="WorstUnexcused">After all that was wrong had ended.</param>
internal sealed record Report(
    WorldSettings Settings, string Digest, int Steps, int Cutoffs, int OnTime, int Marked,
    IReadOnlyDictionary<string, int> Faults, Duration WorstLateness, Duration WorstUnexcused);
