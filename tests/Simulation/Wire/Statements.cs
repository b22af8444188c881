using Actors.Tests.Simulation.Application;
using Actors.Tests.Simulation.Machine;
using Actors.Tests.Simulation.Oracle;
using Actors.Tests.Simulation.Silos;
using NodaTime;

namespace Actors.Tests.Simulation.Wire;

/// <summary>
/// Lets one statement pass at a time, of whichever silo chance takes; and before it, in its place or after it, whatever
/// else can happen there.
/// </summary>
internal sealed class Statements(
    Network network, Cluster cluster, Storms storms, Life life, Agenda agenda, Diary diary, AuditTrail audit,
    Chance chance)
{
    private const int InterruptionsPerMille = 40;

    private readonly Dictionary<int, int> _steps = [];
    private readonly Dictionary<int, Duration> _idleLimits = [];

    /// <summary>
    /// Called when a session has ended its transaction, before anybody learns of it.
    /// </summary>
    public required Action Judged { get; init; }

    /// <summary>The step at which a session last did something other than ending its transaction.</summary>
    public int StepOf(int pid) => _steps[pid];

    /// <summary>False when no statement waits to pass, so that the clock may go on.</summary>
    public bool ServeOne()
    {
        foreach (var blocked in network.Clients.Where(client => client.IsBlocked).ToArray()) Finish(blocked);
        var waiting = network.Clients
            .Where(client => client is { Request: not null, IsDelayed: false, IsBlocked: false }).ToArray();
        if (waiting.Length == 0) return false;
        Serve(chance.Of(waiting));
        return true;
    }

    private void Serve(ClientEnd client)
    {
        var request = client.Request!;
        diary.NextStep();
        if (!storms.IsCalm && chance.PerMille(InterruptionsPerMille)) life.Interrupt();
        var fault = storms.Decide(request);
        diary.Tell($"{client.Number} {request.Title}{(fault == Fault.None ? "" : $" [{fault}]")}");
        switch (fault)
        {
            case Fault.CutBefore:
                network.Cut(client);
                return;
            case Fault.Error:
                network.Fail(client, request, storms.SqlState());
                return;
            case Fault.Delay:
                Delay(client);
                return;
            case Fault.DeathBefore:
                cluster.KillProcess(client.Process);
                return;
            case Fault.Freeze:
                cluster.FreezeProcess(client.Process, chance.Between(Duration.FromSeconds(5), Duration.FromMinutes(5)));
                break;
        }

        Forward(client, request, fault);
    }

    private void Forward(ClientEnd client, ClientRequest request, Fault fault)
    {
        // Either it waits for locked rows as long as the server lets it, while nobody else does anything; or whoever
        // holds them gets done in time.
        var isPatient = chance.Percent(50);
        var sent = isPatient ? request.WithEndlessPatience() : request.WithoutPatience();
        if (!request.EndsTransaction) _steps[client.Server!.Pid] = diary.Step;
        if (request.IdleLimit is { } limit) _idleLimits[client.Server!.Pid] = limit;
        bool IsBlocked(int pid) => Waits(pid, request.HasLockTimeout && !isPatient);
        if (Network.TryForward(client, sent, IsBlocked, out var answer)) End(client, answer, fault);
        else diary.Tell($"{client.Number} waits for a lock");
    }

    /// <summary>A statement that waited for a lock may be done by now.</summary>
    private void Finish(ClientEnd client)
    {
        if (Network.TryFinish(client, pid => Waits(pid, false), out var answer)) End(client, answer, Fault.None);
    }

    private void End(ClientEnd client, byte[] answer, Fault fault)
    {
        if (client.Server!.Status == 'I')
        {
            _idleLimits.Remove(client.Server.Pid);
            Judged();
        }
        else
        {
            EndIdle(client, client.Server);
        }

        switch (fault)
        {
            case Fault.CutAfter:
                network.Cut(client);
                break;
            case Fault.DeathAfter:
                cluster.KillProcess(client.Process);
                break;
            default:
                network.Deliver(client, answer);
                break;
        }
    }

    /// <summary>
    /// The server ends a transaction in which nothing comes for as long as the transaction itself has asked for; a
    /// real one counts that by its own clock, which stands still here.
    /// </summary>
    private void EndIdle(ClientEnd client, ServerEnd server)
    {
        if (!_idleLimits.TryGetValue(server.Pid, out var limit)) return;
        var sent = server.Sent;
        agenda.After(limit, () =>
        {
            if (client.Server != server || server.Sent != sent || client.IsClosed) return;
            storms.Note("a transaction idles too long");
            diary.Tell($"{client.Number} has idled too long in its transaction");
            network.Cut(client);
        });
    }

    /// <summary>Whether a session waits for a lock of which its holder must be let go on.</summary>
    private bool Waits(int pid, bool givesUpByItself)
    {
        if (givesUpByItself) return false;
        var blockers = audit.BlockersOf(pid);
        var hasEnded = false;
        foreach (var blocker in blockers) hasEnded |= life.EndTransactionOf(blocker);
        // The server's own workers, and other worlds on it, go on by themselves.
        if (!hasEnded) return network.Clients.Any(client => blockers.Contains(client.Server?.Pid ?? 0));
        // What the statement finds now is what was true after that.
        _steps[pid] = diary.Step;
        return false;
    }

    private void Delay(ClientEnd client)
    {
        client.IsDelayed = true;
        var length = chance.Between(Duration.FromMilliseconds(1), Duration.FromSeconds(30));
        storms.Disturb(agenda.Now + length);
        agenda.After(length, () => client.IsDelayed = false);
    }
}
