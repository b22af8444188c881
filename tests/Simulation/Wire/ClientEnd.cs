using System.Buffers.Binary;
using System.Net.Sockets;
using Actors.Tests.Simulation.Machine;

namespace Actors.Tests.Simulation.Wire;

/// <summary>One connection of a silo, as the silo sees it.</summary>
internal sealed class ClientEnd(int number, SiloThread process, Socket socket) : IDisposable
{
    private const int NoTls = 80_877_103;
    private const int NoGss = 80_877_104;

    private readonly MemoryStream _received = new();
    private readonly byte[] _buffer = new byte[65_536];

    public int Number => number;

    public SiloThread Process => process;

    /// <summary>The session behind it; null before the client is let in.</summary>
    public ServerEnd? Server { get; set; }

    public bool IsIn { get; set; }

    public bool IsClosed { get; private set; }

    /// <summary>What the client waits for; null while it waits for nothing.</summary>
    public ClientRequest? Request { get; set; }

    /// <summary>The request is on its way, and arrives when somebody clears this.</summary>
    public bool IsDelayed { get; set; }

    /// <summary>The request was sent on, and the server waits for a lock.</summary>
    public bool IsBlocked { get; set; }

    /// <summary>
    /// Whether it has said something that was not taken in. That it has hung up says nothing: after some errors Npgsql
    /// does so, and only then tells whoever waits for the answer.
    /// </summary>
    public bool HasSaidSomething => IsClosed || socket.Available > 0;

    /// <summary>Takes in what the client has sent. Answers what it says before it is let in.</summary>
    public byte[]? Read()
    {
        while (!IsClosed && socket.Poll(0, SelectMode.SelectRead))
        {
            var count = socket.Receive(_buffer);
            if (count == 0) IsClosed = true;
            _received.Write(_buffer, 0, count);
        }

        var bytes = _received.GetBuffer().AsSpan(0, (int)_received.Length);
        if (!IsIn) return ReadIntroduction(bytes);
        if (bytes.Length > 0 && bytes[0] == 'X') IsClosed = true;
        if (IsClosed || ClientRequest.Parse(bytes) is not { } request) return null;
        Request = request;
        _received.SetLength(0);
        return null;
    }

    public void Deliver(byte[] bytes)
    {
        Request = null;
        for (var sent = 0; sent < bytes.Length;) sent += socket.Send(bytes.AsSpan(sent));
    }

    public void Dispose()
    {
        IsClosed = true;
        socket.Dispose();
        _received.Dispose();
    }

    private byte[]? ReadIntroduction(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 8) return null;
        var code = BinaryPrimitives.ReadInt32BigEndian(bytes[4..]);
        if (bytes[0] == 0 && code is NoTls or NoGss)
        {
            _received.SetLength(0);
            socket.Send("N"u8);
            return null;
        }

        var introduction = bytes.ToArray();
        _received.SetLength(0);
        return introduction;
    }
}
