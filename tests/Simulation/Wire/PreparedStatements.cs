using System.Buffers.Binary;
using System.Text;

namespace Actors.Tests.Simulation.Wire;

/// <summary>
/// Lets a session plan each statement once, though its clients ask for it anew each time: what a client names nothing
/// is given a name, and when it comes again only the name is sent. Planning is most of what a world costs.
/// </summary>
internal sealed class PreparedStatements
{
    private static readonly byte[] ParseComplete = [(byte)'1', 0, 0, 0, 4];

    private readonly Dictionary<string, string> _names = [];
    private readonly Queue<Unit> _awaited = new();
    private int _lastName;

    /// <summary>What to send in the place of a unit; its answer is to go through <see cref="Answer"/>.</summary>
    public byte[] Send(byte[][] unit)
    {
        var sent = new MemoryStream();
        var statements = new Queue<Statement>();
        var name = "";
        foreach (var message in unit)
        {
            switch ((char)message[0])
            {
                case 'P':
                    var text = Encoding.Latin1.GetString(message, Frames.Header, message.Length - Frames.Header);
                    var isKnown = _names.TryGetValue(text, out var known);
                    name = known ?? $"s{++_lastName}";
                    statements.Enqueue(new Statement(text, name, isKnown));
                    if (!isKnown) sent.Write(Named(message, 0, name));
                    break;
                case 'B':
                    // The portal's name, which is empty, stands before that of the statement.
                    sent.Write(Named(message, 1, name));
                    break;
                default:
                    sent.Write(message);
                    break;
            }
        }

        _awaited.Enqueue(new Unit(statements));
        return sent.ToArray();
    }

    /// <summary>What the client is to be told before one message of the server: mostly nothing.</summary>
    public ReadOnlySpan<byte> Answer(char kind)
    {
        if (!_awaited.TryPeek(out var unit)) return [];
        if (kind == Frames.ReadyForQuery) _awaited.Dequeue();
        if (!unit.Statements.TryPeek(out var statement)) return [];
        switch (kind)
        {
            case '1':
                _names[statement.Text] = statement.Name;
                return [];
            case '2':
                unit.Statements.Dequeue();
                return statement.IsKnown ? ParseComplete : [];
            default:
                return [];
        }
    }

    /// <summary>The same message with a name where it has an empty one.</summary>
    private static byte[] Named(byte[] message, int offset, string name)
    {
        var at = Frames.Header + offset;
        byte[] named = [.. message[..at], .. Encoding.ASCII.GetBytes(name), .. message[at..]];
        BinaryPrimitives.WriteInt32BigEndian(named.AsSpan(1), named.Length - 1);
        return named;
    }

    /// <param name="Text">The SQL and the types of its parameters, as they were sent.</param>
    /// <param name="IsKnown">Whether the server had it already, so that only its name was sent.</param>
    private sealed record Statement(string Text, string Name, bool IsKnown);

    private sealed record Unit(Queue<Statement> Statements);
}
