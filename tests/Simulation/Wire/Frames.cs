using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using NodaTime;

namespace Actors.Tests.Simulation.Wire;

/// <summary>
/// PostgreSQL's wire protocol, version 3, as far as a bystander must read it: a message is a letter, a length that
/// counts itself, and a body.
/// </summary>
internal static class Frames
{
    public const char ReadyForQuery = 'Z';

    public const char Notice = 'N';

    public const char Error = 'E';

    /// <summary>The letter and the length.</summary>
    public const int Header = 5;

    /// <summary>
    /// The length of the whole message that starts at an offset; null where it is not all there yet.
    /// </summary>
    public static int? LengthAt(ReadOnlySpan<byte> bytes, int offset)
    {
        if (bytes.Length - offset < Header) return null;
        var length = 1 + BinaryPrimitives.ReadInt32BigEndian(bytes[(offset + 1)..]);
        return bytes.Length - offset < length ? null : length;
    }

    /// <summary>A simple query, for what the wire itself has to say to the server.</summary>
    public static byte[] Query(string sql)
    {
        var text = Encoding.UTF8.GetBytes(sql);
        var message = new byte[Header + text.Length + 1];
        message[0] = (byte)'Q';
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(1), message.Length - 1);
        text.CopyTo(message, Header);
        return message;
    }

    /// <summary>The SQL that a message carries; null for a message that carries none.</summary>
    public static string? SqlOf(ReadOnlySpan<byte> message)
    {
        var body = message[Header..];
        return (char)message[0] switch
        {
            'Q' => Text(body),
            // The name of the prepared statement stands before the text.
            'P' => Text(body[(body.IndexOf((byte)0) + 1)..]),
            _ => null,
        };
    }

    /// <summary>The same message with one text in its SQL replaced by another.</summary>
    public static byte[] Replace(byte[] message, string old, string @new)
    {
        var at = message.AsSpan().IndexOf(Encoding.UTF8.GetBytes(old));
        if (at < 0) return message;
        byte[] changed = [.. message[..at], .. Encoding.UTF8.GetBytes(@new), .. message[(at + old.Length)..]];
        BinaryPrimitives.WriteInt32BigEndian(changed.AsSpan(1), changed.Length - 1);
        return changed;
    }

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes[..bytes.IndexOf((byte)0)]);
}

/// <summary>
/// What a client sends before it waits for an answer: one or more units, each of which the server ends by saying that
/// it is ready for the next.
/// </summary>
/// <param name="Units">The messages of each unit.</param>
/// <param name="Sql">The statements, in the order in which they run.</param>
internal sealed record ClientRequest(IReadOnlyList<byte[][]> Units, IReadOnlyList<string> Sql)
{
    private const string Patience = "SET LOCAL lock_timeout = ";
    private const string PatienceOfBatch = "set_config('lock_timeout', '";
    private const string IdleSetting = "SET LOCAL idle_in_transaction_session_timeout = ([0-9]+)";

    public bool IsCommit => Sql is ["COMMIT"];

    public bool IsRollback => Sql is [.., "ROLLBACK"];

    /// <summary>
    /// How long the server lets this transaction idle, by its own clock; null where the request does not say so.
    /// </summary>
    public Duration? IdleLimit => Sql.Select(sql => Regex.Match(sql, IdleSetting))
        .FirstOrDefault(match => match.Success)
        is { } setting
        ? Duration.FromMilliseconds(int.Parse(setting.Groups[1].Value, CultureInfo.InvariantCulture))
        : null;

    /// <summary>Whether it can do nothing but end a transaction.</summary>
    public bool EndsTransaction => IsCommit || IsRollback;

    /// <summary>Whether the client waits for locked rows only for so long, by the server's own clock.</summary>
    public bool HasLockTimeout => Sql.Any(sql =>
        sql.Contains(Patience, StringComparison.Ordinal) || sql.Contains(PatienceOfBatch, StringComparison.Ordinal));

    /// <summary>How a person finds it in the code: the first words of its last statement.</summary>
    public string Title
    {
        get
        {
            var words = string.Join(' ', Sql[^1].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Take(6));
            return words.Length > 60 ? words[..60] : words;
        }
    }

    /// <summary>
    /// The whole of what stands in the buffer; null while the client has not sent all of it. Npgsql sends the statement
    /// that opens a transaction, or cleans a session, together with the first one that it waits for.
    /// </summary>
    public static ClientRequest? Parse(ReadOnlySpan<byte> bytes)
    {
        var units = new List<byte[][]>();
        var messages = new List<byte[]>();
        var sql = new List<string>();
        for (var offset = 0; offset < bytes.Length;)
        {
            if (Frames.LengthAt(bytes, offset) is not { } length) return null;
            var message = bytes.Slice(offset, length).ToArray();
            offset += length;
            messages.Add(message);
            if (Frames.SqlOf(message) is { } text) sql.Add(text);
            if ((char)message[0] is not ('S' or 'Q')) continue;
            units.Add([.. messages]);
            messages.Clear();
        }

        return messages.Count == 0 && sql.Count > 0 ? new ClientRequest(units, sql) : null;
    }

    /// <summary>
    /// The same request of a client that waits for locked rows as long as it takes. The clock of the world stands
    /// still while others go on, and so must the server's.
    /// </summary>
    public ClientRequest WithEndlessPatience() => With("1000", "1000");

    /// <summary>
    /// The same request of a client that gives up at once: nobody lets a row go while it waits, however long.
    /// </summary>
    public ClientRequest WithoutPatience() => With("2 -- ", "2', true) -- ");

    private ClientRequest With(string patience, string patienceOfBatch) => this with
    {
        Units = [.. Units.Select(unit => unit.Select(message => (char)message[0] != 'P' ? message : Frames.Replace(
            Frames.Replace(message, Patience, Patience + patience),
            PatienceOfBatch, PatienceOfBatch + patienceOfBatch)).ToArray())],
    };
}
