using Actors.Tests.Simulation.Machine;
using Actors.Tests.Simulation.Wire;
using NodaTime;

namespace Actors.Tests.Simulation.Silos;

/// <summary>What happens to one statement on its way.</summary>
internal enum Fault
{
    None,

    /// <summary>The connection is cut, and the statement never arrives.</summary>
    CutBefore,

    /// <summary>
    /// The statement is carried out (a commit, too), and the connection is cut before its answer arrives.
    /// </summary>
    CutAfter,

    /// <summary>The server answers with an error.</summary>
    Error,

    /// <summary>The statement is long on its way, while the clock goes on and others act.</summary>
    Delay,

    /// <summary>The silo is killed before the statement arrives.</summary>
    DeathBefore,

    /// <summary>The silo is killed when the statement is carried out.</summary>
    DeathAfter,

    /// <summary>The silo stands still (SIGSTOP) for longer than the others wait for it, and then goes on.</summary>
    Freeze,
}

/// <summary>
/// How rough the world is: a few faults at any time, many while a storm lasts. It counts what it did, and knows since
/// when nothing has been wrong: from then on the cluster has a bound to keep.
/// </summary>
internal sealed class Storms(Agenda agenda, Chance chance)
{
    /// <summary>Transient: statement timeout, serialization failure, deadlock, read-only after a failover, disk full,
    /// too many connections. Not transient: an internal error.</summary>
    private static readonly string[] SqlStates = ["57014", "40001", "40P01", "25006", "53100", "53300", "XX000"];

    private readonly SortedDictionary<string, int> _counts = new(StringComparer.Ordinal);
    private Instant _stormEnds = Instant.MinValue;

    /// <summary>How many of a thousand statements meet a fault in fair weather, and in a storm.</summary>
    public int FairPerMille { get; init; } = 4;

    public int StormPerMille { get; init; } = 150;

    /// <summary>While set there are no faults at all.</summary>
    public bool IsCalm { get; set; }

    public IReadOnlyDictionary<string, int> Counts => _counts;

    /// <summary>The last instant at which something was wrong with silos, network or database.</summary>
    public Instant LastDisturbance { get; private set; } = Instant.MinValue;

    private bool IsStorm => agenda.Now < _stormEnds;

    public string SqlState() => chance.Of(SqlStates);

    /// <summary>Something is wrong now, or will be until an instant.</summary>
    public void Disturb(Instant? until = null) =>
        LastDisturbance = Instant.Max(LastDisturbance, until ?? agenda.Now);

    /// <summary>Counts a fault of some kind.</summary>
    public void Note(string kind) => _counts[kind] = _counts.GetValueOrDefault(kind) + 1;

    public void StartStorm(Duration length)
    {
        Note("a storm");
        _stormEnds = agenda.Now + length;
        Disturb(_stormEnds);
    }

    public bool FailsReminder()
    {
        if (IsCalm || !chance.PerMille(IsStorm ? StormPerMille : FairPerMille)) return false;
        Note("a reminder is not written");
        return true;
    }

    public Fault Decide(ClientRequest request)
    {
        if (IsCalm || !chance.PerMille(IsStorm ? StormPerMille : FairPerMille)) return Fault.None;
        var fault = chance.Below(100) switch
        {
            < 18 => Fault.CutBefore,
            < 36 => Fault.CutAfter,
            < 62 => request.IsRollback ? Fault.None : Fault.Error,
            < 78 => Fault.Delay,
            < 86 => Fault.DeathBefore,
            < 96 => Fault.DeathAfter,
            _ => Fault.Freeze,
        };
        if (fault == Fault.None) return fault;
        Disturb();
        Note(fault switch
        {
            Fault.CutBefore => "a connection is cut before a statement",
            Fault.CutAfter when request.IsCommit => "a commit's answer is lost",
            Fault.CutAfter => "a statement's answer is lost",
            Fault.Error => "a statement fails",
            Fault.Delay => "a statement is delayed",
            Fault.DeathAfter when request.IsCommit => "a silo dies of a commit",
            Fault.Freeze => "a silo is frozen",
            _ => "a silo dies between statements",
        });
        return fault;
    }
}
