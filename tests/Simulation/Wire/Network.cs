using System.Diagnostics;
using System.Net.Sockets;
using Actors.Tests.Simulation.Machine;
using Actors.Tests.Simulation.Oracle;
using Npgsql;

namespace Actors.Tests.Simulation.Wire;

/// <summary>
/// Stands between the silos and PostgreSQL, and speaks the protocol of both. Everything that a silo asks stops here
/// until the world lets it pass, so that the world decides what comes between any two statements: another silo's
/// statement, a payment, an error, a cut before the statement or after it (when it has happened, and nobody learns
/// it), a death.
/// <para>
/// Silos connect by a socket file: what they send is here before the call that sent it returns. So, when no code is
/// ready to run and no answer is still being taken in, the requests that are here are all there are.
/// </para>
/// </summary>
internal sealed class Network : IDisposable
{
    private static readonly TimeSpan RealLimit = TimeSpan.FromSeconds(60);

    private readonly Processor _processor;
    private readonly NpgsqlConnectionStringBuilder _server;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sim");
    private readonly List<(Socket Listener, SiloThread Process)> _doors = [];
    private readonly List<ClientEnd> _clients = [];
    private readonly Stack<ServerEnd> _free = new();
    private readonly AuditTrail _audit;
    private int _lastDoor;
    private int _lastClient;

    /// <summary>The function in which an error was found: that of RAISE, and one as long that is another.</summary>
    private static ReadOnlySpan<byte> Raised => "exec_stmt_raise"u8;

    private static ReadOnlySpan<byte> ServersOwn => "simulated_fault"u8;

    public Network(string connectionString, Processor processor, AuditTrail audit)
    {
        _server = new NpgsqlConnectionStringBuilder(connectionString);
        _processor = processor;
        _audit = audit;
    }

    /// <summary>While it is down nobody is let in, and nobody's request arrives.</summary>
    public bool IsDown { get; set; }

    public IReadOnlyList<ClientEnd> Clients => _clients;

    /// <summary>The connection string of a new process.</summary>
    public string Open(SiloThread process)
    {
        var port = ++_lastDoor;
        var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(Path.Combine(_folder.FullName, $".s.PGSQL.{port}")));
        listener.Listen(64);
        _doors.Add((listener, process));
        return new NpgsqlConnectionStringBuilder(_server.ConnectionString)
        {
            Host = _folder.FullName,
            Port = port,
            SslMode = SslMode.Disable,
            GssEncryptionMode = GssEncryptionMode.Disable,
            // A silo that starts anew need not ask again which types there are.
            ["Server Compatibility Mode"] = "NoTypeLoading",
            // As behind a pooler: a session that is handed on keeps its plans.
            NoResetOnClose = true,
        }.ConnectionString;
    }

    /// <summary>Runs all code that can run, until everybody waits for an answer, for a clock, or for nothing.</summary>
    public void Settle()
    {
        do
        {
            _processor.RunAll();
            LetIn();
            foreach (var client in _clients.ToArray()) TakeIn(client);
        }
        while (!_processor.IsIdle);
    }

    /// <summary>Sends a request on. False when the server waits for a lock; the world asks again later.</summary>
    public static bool TryForward(ClientEnd client, ClientRequest request, Func<int, bool> isBlocked, out byte[] answer)
    {
        client.Server!.Send(request.Units);
        return TryFinish(client, isBlocked, out answer);
    }

    /// <summary>Whether a request that was sent on has been answered.</summary>
    public static bool TryFinish(ClientEnd client, Func<int, bool> isBlocked, out byte[] answer)
    {
        var said = client.Server!.TryAnswer(isBlocked);
        client.IsBlocked = said is null;
        answer = said ?? [];
        return said is not null;
    }

    /// <summary>
    /// In the place of a request's last unit the server runs one that fails with an error of our choice; the client is
    /// not told that it was raised, as by a trigger: it is the server's own.
    /// </summary>
    public void Fail(ClientEnd client, ClientRequest request, string sqlState)
    {
        var raise = Frames.Query(
            $"DO $$ BEGIN RAISE EXCEPTION 'simulated' USING ERRCODE = '{sqlState}'; END $$");
        client.Server!.Send([.. request.Units.SkipLast(1), [raise]]);
        var answer = client.Server.TryAnswer(_ => false)!;
        if (answer.AsSpan().IndexOf(Raised) is var at and >= 0) ServersOwn.CopyTo(answer.AsSpan(at));
        Deliver(client, answer);
    }

    /// <summary>Gives a client its answer, and lets it do what it does with it.</summary>
    public void Deliver(ClientEnd client, byte[] answer)
    {
        AndAwaitReaction(() => client.Deliver(answer), () => client.HasSaidSomething);
    }

    /// <summary>
    /// Ends a connection. Its client learns of it now if it waits for something, else when it next asks.
    /// </summary>
    public void Cut(ClientEnd client)
    {
        var wasWaiting = client.Request is not null && !client.Process.IsDead;
        Release(client);
        if (wasWaiting) AndAwaitReaction(client.Dispose, () => false);
        else client.Dispose();
    }

    /// <summary>Ends all connections of a process that is dead.</summary>
    public void Close(SiloThread process)
    {
        foreach (var client in _clients.Where(client => client.Process == process).ToArray()) Cut(client);
        foreach (var door in _doors.Where(door => door.Process == process)) door.Listener.Dispose();
        _doors.RemoveAll(door => door.Process == process);
    }

    public void Dispose()
    {
        foreach (var client in _clients) client.Dispose();
        foreach (var door in _doors) door.Listener.Dispose();
        foreach (var server in _clients.Select(client => client.Server).Concat(_free)) server?.Dispose();
        _folder.Delete(recursive: true);
    }

    private void LetIn()
    {
        foreach (var (listener, process) in _doors)
        {
            while (listener.Poll(0, SelectMode.SelectRead))
                _clients.Add(new ClientEnd(++_lastClient, process, listener.Accept()));
        }
    }

    private void TakeIn(ClientEnd client)
    {
        while (client.Read() is { } introduction)
        {
            if (IsDown)
            {
                Release(client);
                AndAwaitReaction(client.Dispose, () => false);
                return;
            }

            var welcome = Introduce(client, introduction);
            client.IsIn = client.Server!.Greeting is not null;
            AndAwaitReaction(() => client.Deliver(welcome), () => client.HasSaidSomething);
        }

        if (client.IsClosed) Release(client);
    }

    private byte[] Introduce(ClientEnd client, byte[] introduction)
    {
        if (client.Server is null && _free.TryPop(out var free))
        {
            client.Server = free;
            return free.Greeting!;
        }

        client.Server ??= new ServerEnd(_server.Host!, _server.Port, _audit);
        return client.Server.Introduce(introduction);
    }

    private void Release(ClientEnd client)
    {
        if (!_clients.Remove(client)) return;
        if (client.Server is not { } server) return;
        client.Server = null;
        if (client.IsBlocked || server.Greeting is null)
        {
            if (server.Pid != 0)
            {
                // It may have got the lock that it waited for, and have committed, in that moment.
                _audit.Terminate(server.Pid);
                server.TakeLastWords();
            }

            server.Dispose();
            return;
        }

        server.Forget();
        _free.Push(server);
    }

    /// <summary>
    /// Npgsql takes an answer in on a thread of its own, and then posts a turn, or says something. Nothing else can
    /// happen meanwhile: only one answer is on its way at any time.
    /// </summary>
    private void AndAwaitReaction(Action act, Func<bool> hasSaidSomething)
    {
        var (turns, started) = (_processor.Turns, Stopwatch.GetTimestamp());
        act();
        while (!_processor.HasMoreThan(turns) && !hasSaidSomething())
        {
            if (Stopwatch.GetElapsedTime(started) > RealLimit)
                throw new TimeoutException($"A silo has not taken in its answer in {RealLimit}.");
        }
    }
}
