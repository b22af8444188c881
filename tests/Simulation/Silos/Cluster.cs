using Actors.Grains;
using Actors.Grains.Agencies;
using Actors.Grains.Interfaces;
using Actors.Grains.Jobs;
using Actors.Tests.Simulation.Machine;
using Actors.Tests.Simulation.Wire;
using NodaTime;

namespace Actors.Tests.Simulation.Silos;

/// <summary>
/// The silos, and what Orleans does between them: it finds each grain a silo, brings calls and ticks there, notices
/// that a silo is gone after a while, and wakes the coordinator elsewhere. Where a cluster is cut in two, a grain can
/// live twice, and so it can here.
/// </summary>
internal sealed class Cluster(
    Agenda agenda, Processor processor, Network network, Chance chance, Storms storms, GrainOptions options)
    : IDisposable
{
    /// <summary>How long the others take to notice that a silo is gone.</summary>
    private static readonly Duration Detection = Duration.FromSeconds(20);

    private static readonly GrainId CoordinatorId =
        GrainId.Create("coordinator", JobNames.UpdateInstallmentStatuses);

    private readonly List<SimulatedSilo> _silos = [];
    private readonly Dictionary<AgencyId, SimulatedSilo> _places = [];
    private Coordinator? _coordinator;
    private Coordinator? _double;
    private int _lastSilo;

    /// <summary>Called when a silo has died.</summary>
    public Action? Died { get; set; }

    public Reminders Reminders { get; } = new(agenda, chance.Fork(), storms);

    public IReadOnlyList<SimulatedSilo> Alive => [.. _silos.Where(silo => silo.IsAlive)];

    /// <summary>The agencies that some silo is at work on.</summary>
    public IEnumerable<AgencyId> Busy => _silos.SelectMany(silo => silo.Busy).Distinct();

    /// <summary>Whether anybody sweeps, or will at its next turn.</summary>
    public bool HasCoordinator => _coordinator is { Silo.IsAlive: true };

    /// <summary>When the coordinator last began to sweep.</summary>
    public Instant LastSweep { get; private set; } = Instant.MinValue;

    public SimulatedSilo Start()
    {
        var thread = new SiloThread(processor);
        var silo = new SimulatedSilo(
            ++_lastSilo, thread, network.Open(thread), agenda, options, Reminders, new References(this));
        _silos.Add(silo);
        storms.Disturb();
        agenda.After(chance.Between(Duration.FromMilliseconds(100), Duration.FromSeconds(2)), WakeCoordinator);
        return silo;
    }

    /// <summary>kill -9.</summary>
    public void Kill(SimulatedSilo silo)
    {
        if (silo.Thread.IsDead) return;
        silo.Thread.IsDead = true;
        network.Close(silo.Thread);
        silo.Dispose();
        storms.Disturb(agenda.Now + Detection);
        agenda.After(Detection, () => Forget(silo));
        Died?.Invoke();
    }

    public void KillProcess(SiloThread process)
    {
        if (_silos.Find(silo => silo.Thread == process) is { } silo) Kill(silo);
    }

    public void FreezeProcess(SiloThread process, Duration length)
    {
        if (_silos.Find(silo => silo.Thread == process) is { } silo) Freeze(silo, length);
    }

    /// <summary>
    /// SIGSTOP, and SIGCONT when the others have long gone on without it. When it finds that it was given up it ends.
    /// </summary>
    public void Freeze(SimulatedSilo silo, Duration length)
    {
        if (!silo.IsAlive) return;
        silo.Thread.IsFrozen = true;
        // What it holds it may hold for as long as a transaction may idle, and no longer.
        storms.Disturb(agenda.Now + Detection);
        agenda.After(Detection, () => Forget(silo));
        agenda.After(length, () =>
        {
            processor.Thaw(silo.Thread);
            agenda.After(chance.Between(Duration.FromSeconds(1), Duration.FromSeconds(8)), () => Kill(silo));
        });
    }

    /// <summary>Calls an agency's grain wherever it lives, or is to live from now on.</summary>
    public Task<T> CallAsync<T>(AgencyId agency, Func<AgencyGrain, Task<T>> call) =>
        PlaceOf(agency) is { } silo
            ? silo.CallAsync(agency, call)
            : Task.FromException<T>(new SiloUnavailableException("No silo is up."));

    /// <summary>Brings a tick to its grain, or nowhere when no silo is up.</summary>
    public void Tick(AgencyId agency, TickStatus status)
    {
        if (PlaceOf(agency) is not { } silo) return;
        silo.CallAsync(agency, async grain =>
        {
            await grain.ReceiveReminder(AgencyGrain.ReminderName, status);
            return true;
        }).Ignore();
    }

    public Task<T> CallCoordinatorAsync<T>(Func<CoordinatorGrain, Task<T>> call)
    {
        if (_coordinator is null) WakeCoordinator();
        // A call to a silo that is gone, and not known to be, fails after a while; nobody here needs to wait for it.
        return _coordinator is { Silo.IsAlive: true } coordinator
            ? coordinator.Silo.CallAsync(() => call(coordinator.Grain))
            : Task.FromException<T>(new SiloUnavailableException("The coordinator's silo is gone."));
    }

    /// <summary>A word sent one way: now and then it is lost.</summary>
    public void TellCoordinator(Func<CoordinatorGrain, Task> word)
    {
        if (!storms.IsCalm && chance.PerMille(20)) storms.Note("a nudge is lost");
        else CallCoordinatorAsync(async coordinator =>
        {
            await word(coordinator);
            return true;
        }).Ignore();
    }

    /// <summary>The coordinator's timer comes, and that of its double if there is one.</summary>
    public void Sweep()
    {
        LastSweep = agenda.Now;
        _coordinator?.Sweep();
        _double?.Sweep();
    }

    /// <summary>The coordinator's other timers come.</summary>
    public void KeepHouse() => _coordinator?.KeepHouse();

    /// <summary>As after a partition: a second coordinator, on another silo, for a while.</summary>
    public void DoubleCoordinator(Duration length)
    {
        if (_double is not null || Alive.Count == 0) return;
        storms.Note("two coordinators");
        _double = new Coordinator(chance.Of(Alive), agenda, network);
        agenda.After(length, () =>
        {
            _double?.Stop();
            _double = null;
        });
    }

    public void Dispose()
    {
        foreach (var silo in _silos) silo.Dispose();
    }

    private SimulatedSilo? PlaceOf(AgencyId agency)
    {
        var alive = Alive;
        var known = _places.GetValueOrDefault(agency);
        if (known is { IsAlive: false } && _silos.Contains(known)) return known;
        if (alive.Count == 0) return null;
        if (alive.Count > 1 && !storms.IsCalm && chance.PerMille(10))
        {
            storms.Note("a grain lives twice");
            return chance.Of(alive);
        }

        if (known is { IsAlive: true }) return known;
        return _places[agency] = chance.Of(alive);
    }

    /// <summary>
    /// The others have noticed: its grains are free to live elsewhere, and who waits for it waits no more.
    /// </summary>
    private void Forget(SimulatedSilo silo)
    {
        _silos.Remove(silo);
        foreach (var agency in _places.Where(place => place.Value == silo).Select(place => place.Key).ToArray())
            _places.Remove(agency);
        silo.FailCalls();
        if (_double?.Silo == silo) _double = null;
        if (_coordinator?.Silo != silo) return;
        _coordinator = null;
        var wakes = chance.Between(Duration.FromSeconds(1), Duration.FromMinutes(1));
        storms.Disturb(agenda.Now + wakes);
        agenda.After(wakes, WakeCoordinator);
    }

    private void WakeCoordinator()
    {
        if (_coordinator is null && Alive.Count > 0) _coordinator = new Coordinator(chance.Of(Alive), agenda, network);
    }

    /// <summary>One activation of the coordinator.</summary>
    private sealed class Coordinator
    {
        private readonly GrainPlace _place;
        private readonly Agenda _agenda;
        private readonly Network _network;
        private bool _sweeps;
        private bool _sweepsAgain;
        private bool _hasStopped;

        public Coordinator(SimulatedSilo silo, Agenda agenda, Network network)
        {
            (Silo, _agenda, _network) = (silo, agenda, network);
            _place = new GrainPlace(CoordinatorId, silo) { TimerChanged = SweepAfter };
            Grain = silo.MakeCoordinator(_place);
            Silo.Thread.Start(() => Grain.OnActivateAsync(CancellationToken.None));
            Sweep();
        }

        public SimulatedSilo Silo { get; }

        public CoordinatorGrain Grain { get; }

        /// <summary>A grain's timer does not come again before what it began has ended.</summary>
        public void Sweep()
        {
            if (!_sweeps) Silo.CallAsync(SweepAsync).Ignore();
        }

        /// <summary>What it does once an hour.</summary>
        public void KeepHouse() => Silo.CallAsync(async () =>
        {
            foreach (var timer in _place.Timers.Skip(1)) await timer();
            return true;
        }).Ignore();

        public void Stop()
        {
            _hasStopped = true;
            Silo.Thread.Start(() => Grain.OnDeactivateAsync(
                new DeactivationReason(DeactivationReasonCode.ShuttingDown, "ends"), CancellationToken.None));
        }

        /// <summary>What cannot reach the database would only be tried again, hundreds of times in an outage.</summary>
        private void SweepAfter(TimeSpan dueTime) => _agenda.After(Duration.FromTimeSpan(dueTime), () =>
        {
            if (_hasStopped || !Silo.IsAlive) return;
            if (_network.IsDown) SweepAfter(dueTime);
            else if (_sweeps) _sweepsAgain = true;
            else Sweep();
        });

        private async Task<bool> SweepAsync()
        {
            _sweeps = true;
            try
            {
                // The first timer sweeps; the others keep house.
                await _place.Timers[0]();
            }
            finally
            {
                _sweeps = false;
            }

            // What was due meanwhile comes late, and is not left out.
            if (_sweepsAgain && !_hasStopped) Sweep();
            _sweepsAgain = false;
            return true;
        }
    }
}
