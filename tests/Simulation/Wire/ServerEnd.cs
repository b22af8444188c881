using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using Actors.Tests.Simulation.Oracle;

namespace Actors.Tests.Simulation.Wire;

/// <summary>
/// A session on the real server. It outlives the client that opened it: what a lost client leaves is rolled back, as
/// PostgreSQL does, and the session serves the next one. So a cut connection costs no new process and no password.
/// </summary>
internal sealed class ServerEnd : IDisposable
{
    private static readonly TimeSpan Quickly = TimeSpan.FromMilliseconds(3);
    private static readonly TimeSpan RealLimit = TimeSpan.FromSeconds(60);

    /// <summary>The setting by which a session plans each statement once.</summary>
    public const string PlanOnce = "plan_cache_mode=force_generic_plan";

    private const string SetPlanOnce = "SET " + PlanOnce;

    /// <summary>All that DISCARD ALL does, but for the prepared statements.</summary>
    private const string Discard =
        """
        CLOSE ALL; RESET ALL; UNLISTEN *; SELECT pg_advisory_unlock_all(); DISCARD TEMP; DISCARD SEQUENCES;
        """ + SetPlanOnce;

    private static readonly byte[] AuditNotice = Encoding.ASCII.GetBytes(AuditTrail.Notice);

    private readonly AuditTrail _audit;
    private readonly List<string> _told = [];
    private readonly Socket _socket;
    private readonly MemoryStream _received = new();
    private readonly MemoryStream _answer = new();
    private readonly PreparedStatements _prepared = new();
    private readonly byte[] _buffer = new byte[65_536];
    private int _parsed;
    private int _awaited;

    public ServerEnd(string host, int port, AuditTrail audit)
    {
        _audit = audit;
        _socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        _socket.Connect(host, port);
    }

    /// <summary>The server's process.</summary>
    public int Pid { get; private set; }

    /// <summary>'I' outside a transaction, 'T' in one, 'E' in one that failed.</summary>
    public char Status { get; private set; } = 'I';

    /// <summary>How many units it was sent so far.</summary>
    public int Sent { get; private set; }

    /// <summary>
    /// What the server said when the first client had proved who it is; later ones are told the same.
    /// </summary>
    public byte[]? Greeting { get; private set; }

    /// <summary>Passes on what a client says before it is let in, and answers what the server says to that.</summary>
    public byte[] Introduce(byte[] bytes)
    {
        _socket.Send(bytes);
        var greeting = 0;
        while (true)
        {
            while (Frames.LengthAt(Received, _parsed) is { } length)
            {
                var message = Received.Slice(_parsed, length);
                var kind = (char)message[0];
                var code = kind == 'R' ? BinaryPrimitives.ReadInt32BigEndian(message[5..]) : -1;
                if (code == 0) greeting = _parsed;
                if (kind == 'K') Pid = BinaryPrimitives.ReadInt32BigEndian(message[5..]);
                _parsed += length;
                // 10 and 11 ask for the client's next proof; 12 and 0 are followed by more.
                if (kind is not (Frames.ReadyForQuery or Frames.Error) && code is not (10 or 11 or 5 or 3)) continue;
                if (kind == Frames.ReadyForQuery) Greeting = Received[greeting.._parsed].ToArray();
                var said = Received[.._parsed].ToArray();
                Forget(_parsed);
                if (kind == Frames.ReadyForQuery) Run(SetPlanOnce);
                return said;
            }

            Receive();
        }
    }

    /// <summary>Sends units of messages; their answers are read by <see cref="TryAnswer"/>.</summary>
    public void Send(IReadOnlyList<byte[][]> units)
    {
        _awaited += units.Count;
        Sent += units.Count;
        byte[] bytes = [.. units.SelectMany(_prepared.Send)];
        if (bytes.Length > 0) _socket.Send(bytes);
    }

    /// <summary>
    /// All that the server says to what it was sent; null when it waits for a lock that somebody else holds.
    /// </summary>
    public byte[]? TryAnswer(Func<int, bool> isBlocked)
    {
        var waited = TimeSpan.Zero;
        while (!HasAnswered())
        {
            if (_socket.Poll(Quickly, SelectMode.SelectRead))
            {
                Receive();
            }
            else
            {
                waited += Quickly;
                if (isBlocked(Pid)) return null;
                if (waited > RealLimit) throw new TimeoutException($"Session {Pid} has not answered in {RealLimit}.");
            }
        }

        var answer = _answer.ToArray();
        _answer.SetLength(0);
        return answer;
    }

    /// <summary>Asks something of our own, and answers whether the server is of good cheer.</summary>
    public void Run(string sql)
    {
        Send([[Frames.Query(sql)]]);
        TryAnswer(_ => false);
    }

    /// <summary>What the server does for a client that is gone.</summary>
    public void Forget()
    {
        if (Status != 'I') Run("ROLLBACK");
        Run(Discard);
    }

    /// <summary>
    /// Takes in what was said before the server ended the session, which may have committed just then.
    /// </summary>
    public void TakeLastWords()
    {
        while (_socket.Receive(_buffer) is var count and > 0) _received.Write(_buffer, 0, count);
        HasAnswered();
    }

    public void Dispose()
    {
        _socket.Dispose();
        _received.Dispose();
        _answer.Dispose();
    }

    private ReadOnlySpan<byte> Received => _received.GetBuffer().AsSpan(0, (int)_received.Length);

    private bool HasAnswered()
    {
        while (_awaited > 0 && Frames.LengthAt(Received, _parsed) is { } length)
        {
            var message = Received.Slice(_parsed, length);
            _parsed += length;
            if ((char)message[0] == Frames.Notice && message.IndexOf(AuditNotice) is var at and >= 0)
            {
                var told = message[(at + AuditNotice.Length)..];
                _told.Add(Encoding.UTF8.GetString(told[..told.IndexOf((byte)0)]));
                continue;
            }

            _answer.Write(_prepared.Answer((char)message[0]));
            _answer.Write(message);
            // What tells of a commit may still be followed by what keeps it from being one.
            if ((char)message[0] == Frames.Error) _told.Clear();
            if ((char)message[0] != Frames.ReadyForQuery) continue;
            Status = (char)message[5];
            _awaited--;
            _audit.Add(Pid, _told);
            _told.Clear();
        }

        Forget(_parsed);
        return _awaited == 0;
    }

    /// <summary>Drops what was received first.</summary>
    private void Forget(int bytes)
    {
        var rest = Received[bytes..].ToArray();
        _received.SetLength(0);
        _received.Write(rest);
        _parsed = 0;
    }

    private void Receive()
    {
        var count = _socket.Receive(_buffer);
        if (count == 0) throw new IOException($"The server has closed session {Pid}.");
        _received.Write(_buffer, 0, count);
    }
}
