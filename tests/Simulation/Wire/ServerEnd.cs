using System.Buffers.Binary;
using System.Net.Sockets;

namespace Actors.Tests.Simulation.Wire;

/// <summary>
/// A session on the real server. It outlives the client that opened it: what a lost client leaves is rolled back, as
/// PostgreSQL does, and the session serves the next one. So a cut connection costs no new process and no password.
/// </summary>
internal sealed class ServerEnd : IDisposable
{
    private static readonly TimeSpan Quickly = TimeSpan.FromMilliseconds(3);
    private static readonly TimeSpan RealLimit = TimeSpan.FromSeconds(60);

    private readonly Socket _socket;
    private readonly MemoryStream _received = new();
    private readonly byte[] _buffer = new byte[65_536];
    private int _parsed;
    private int _awaited;

    public ServerEnd(string host, int port)
    {
        _socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        _socket.Connect(host, port);
    }

    /// <summary>The server's process.</summary>
    public int Pid { get; private set; }

    /// <summary>'I' outside a transaction, 'T' in one, 'E' in one that failed.</summary>
    public char Status { get; private set; } = 'I';

    /// <summary>The last step at which it was sent something that can write.</summary>
    public int WrittenAt { get; set; }

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
                if (kind == Frames.ReadyForQuery) Greeting = Received[greeting.._parsed].ToArray();
                // 10 and 11 ask for the client's next proof; 12 and 0 are followed by more.
                if (kind is Frames.ReadyForQuery or 'E' || code is 10 or 11 or 5 or 3) return Take();
            }

            Receive();
        }
    }

    /// <summary>Sends units of messages; their answers are read by <see cref="TryAnswer"/>.</summary>
    public void Send(byte[] bytes, int units)
    {
        _awaited += units;
        Sent += units;
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

        return Take();
    }

    /// <summary>Asks something of our own, and answers whether the server is of good cheer.</summary>
    public void Run(string sql)
    {
        Send(Frames.Query(sql), 1);
        TryAnswer(_ => false);
    }

    /// <summary>What the server does for a client that is gone.</summary>
    public void Forget()
    {
        if (Status != 'I') Run("ROLLBACK");
        Run("DISCARD ALL");
    }

    public void Dispose()
    {
        _socket.Dispose();
        _received.Dispose();
    }

    private ReadOnlySpan<byte> Received => _received.GetBuffer().AsSpan(0, (int)_received.Length);

    private bool HasAnswered()
    {
        while (_awaited > 0 && Frames.LengthAt(Received, _parsed) is { } length)
        {
            var message = Received.Slice(_parsed, length);
            _parsed += length;
            if ((char)message[0] != Frames.ReadyForQuery) continue;
            Status = (char)message[5];
            _awaited--;
        }

        return _awaited == 0;
    }

    private byte[] Take()
    {
        var taken = Received[.._parsed].ToArray();
        var rest = Received[_parsed..].ToArray();
        _received.SetLength(0);
        _received.Write(rest);
        _parsed = 0;
        return taken;
    }

    private void Receive()
    {
        var count = _socket.Receive(_buffer);
        if (count == 0) throw new IOException($"The server has closed session {Pid}.");
        _received.Write(_buffer, 0, count);
    }
}
