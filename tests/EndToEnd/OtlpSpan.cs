using System.Text;

namespace Actors.Tests.EndToEnd;

/// <summary>One span as OTLP sends it, in the fields that tests look at.</summary>
/// <param name="Scope">The source that it is from, such as `Npgsql`.</param>
/// <param name="TraceId">In hexadecimal.</param>
/// <param name="Id">In hexadecimal.</param>
/// <param name="ParentId">In hexadecimal; empty where it begins a trace.</param>
/// <param name="Name">What was done.</param>
public sealed record OtlpSpan(string Scope, string TraceId, string Id, string ParentId, string Name)
{
    /// <summary>
    /// Every span of a request to `/v1/traces`: ResourceSpans (1) have ScopeSpans (2), which have a scope (1) with its
    /// name (1), and spans (2) with trace id (1), id (2), parent (4) and name (5).
    /// </summary>
    public static IEnumerable<OtlpSpan> In(byte[] body) =>
        from resource in Fields(body)
        where resource.Number == 1
        from scoped in Fields(resource.Bytes)
        where scoped.Number == 2
        let fields = Fields(scoped.Bytes).ToArray()
        let scope = Text(Fields(Field(fields, 1)), 1)
        from span in fields
        where span.Number == 2
        let parts = Fields(span.Bytes).ToArray()
        select new OtlpSpan(scope, Hex(parts, 1), Hex(parts, 2), Hex(parts, 4), Text(parts, 5));

    private static byte[] Field(IEnumerable<(int Number, byte[] Bytes)> fields, int number) =>
        fields.FirstOrDefault(field => field.Number == number).Bytes ?? [];

    private static string Text(IEnumerable<(int, byte[])> fields, int number) =>
        Encoding.UTF8.GetString(Field(fields, number));

    private static string Hex(IEnumerable<(int, byte[])> fields, int number) =>
        Convert.ToHexStringLower(Field(fields, number));

    /// <summary>The fields of a message of Protocol Buffers that have a length; the others are passed over.</summary>
    private static IEnumerable<(int Number, byte[] Bytes)> Fields(byte[] message)
    {
        for (var at = 0; at < message.Length;)
        {
            var tag = Number(message, ref at);
            switch (tag & 7)
            {
                case 0:
                    Number(message, ref at);
                    break;
                case 1:
                    at += 8;
                    break;
                case 5:
                    at += 4;
                    break;
                default:
                    var length = (int)Number(message, ref at);
                    yield return ((int)(tag >> 3), message[at..(at + length)]);
                    at += length;
                    break;
            }
        }
    }

    private static ulong Number(byte[] message, ref int at)
    {
        ulong number = 0;
        for (var shift = 0; ; shift += 7)
        {
            var next = message[at++];
            number |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80) return number;
        }
    }
}
