using Actors.Tests.Simulation.Machine;
using Actors.Tests.Simulation.Wire;
using NodaTime;

namespace Actors.Tests.Simulation.Silos;

/// <summary>
/// What goes wrong by itself: storms, deaths, silos that are gone for minutes or weeks, a database that is.
/// </summary>
internal sealed class Weather(
    Agenda agenda, Cluster cluster, Network network, Storms storms, Chance chance, Diary diary,
    Func<Instant?> nextCutoff)
{
    private bool _isClear;
    private int _silos;
    private Instant _downUntil = Instant.MinValue;

    /// <summary>Whether pg_cron calls the watchdog when no silo has swept for a while.</summary>
    public bool HasWatchdog { get; } = chance.Percent(40);

    public void Begin()
    {
        _silos = chance.From(2, 3);
        Replace();
        Every(Duration.FromHours(15), Storm);
        Every(Duration.FromHours(36), KillOne);
        Every(Duration.FromDays(4), FreezeOne);
        Every(Duration.FromDays(4), DatabaseAway);
        Every(Duration.FromDays(3), () => cluster.DoubleCoordinator(
            chance.Between(Duration.FromMinutes(1), Duration.FromHours(1))));
        Every(Duration.FromDays(9), KillAll);
        cluster.Died = () => agenda.After(
            chance.Between(Duration.FromSeconds(1), Duration.FromMinutes(30)), Replace);
    }

    /// <summary>Nothing goes wrong any more, and what was away is back.</summary>
    public void Clear()
    {
        _isClear = true;
        network.IsDown = false;
        while (cluster.Alive.Count < _silos) cluster.Start();
        storms.Disturb();
    }

    /// <summary>About so often, and mostly when it hurts: a moment before a cutoff, or in the middle of it.</summary>
    private void Every(Duration mean, Action happens) => agenda.After(
        chance.Between(Duration.Zero, mean * 2), () =>
        {
            if (chance.Percent(70) && nextCutoff() is { } cutoff)
                agenda.At(cutoff - chance.Between(Duration.Zero, Duration.FromSeconds(3)), Happen);
            else Happen();

            void Happen()
            {
                if (_isClear) return;
                happens();
                Every(mean, happens);
            }
        });

    private void Storm() => storms.StartStorm(
        chance.Between(Duration.FromSeconds(10), Duration.FromMinutes(30)));

    private void KillOne()
    {
        if (cluster.Alive.Count == 0) return;
        storms.Note("a silo is killed");
        diary.Tell("a silo is killed");
        cluster.Kill(chance.Of(cluster.Alive));
    }

    private void FreezeOne()
    {
        if (cluster.Alive.Count == 0) return;
        storms.Note("a silo is frozen");
        diary.Tell("a silo is frozen");
        Freeze(chance.Of(cluster.Alive));
    }

    /// <summary>For less or for more than the others wait.</summary>
    public void Freeze(SimulatedSilo silo) =>
        cluster.Freeze(silo, chance.Between(Duration.FromSeconds(5), Duration.FromMinutes(5)));

    private void KillAll()
    {
        storms.Note("all silos are killed");
        var length = chance.Below(6) switch
        {
            0 => chance.Between(Duration.FromDays(3), Duration.FromDays(21)),
            1 or 2 => chance.Between(Duration.FromHours(6), Duration.FromDays(3)),
            _ => chance.Between(Duration.FromMinutes(1), Duration.FromHours(6)),
        };
        diary.Tell($"all silos are killed, for {length}");
        foreach (var silo in cluster.Alive) cluster.Kill(silo);
        _downUntil = agenda.Now + length;
        storms.Disturb(_downUntil);
        agenda.At(_downUntil, Replace);
    }

    /// <summary>Somebody sees to it that there are as many silos as there should be.</summary>
    private void Replace()
    {
        if (_isClear || agenda.Now < _downUntil) return;
        while (cluster.Alive.Count < _silos) cluster.Start();
    }

    private void DatabaseAway()
    {
        storms.Note("the database is away");
        var length = chance.Between(Duration.FromSeconds(1), Duration.FromMinutes(20));
        diary.Tell($"the database is away, for {length}");
        network.IsDown = true;
        foreach (var client in network.Clients.ToArray()) network.Cut(client);
        storms.Disturb(agenda.Now + length);
        agenda.After(length, () => network.IsDown = false);
    }
}
