using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Actors.Grains.Interfaces;
using NodaTime;

namespace Actors.Grains.Jobs;

/// <summary>
/// The ids of runs that nobody hands out: the run of one cutoff instant has one id, which every silo finds by itself,
/// so that any of them can open its row without asking.
/// </summary>
internal static class JobIds
{
    /// <summary>The run of all agencies whose cutoff is at this instant.</summary>
    public static JobId ForCutoff(string jobName, Instant cutoffAt) => Derive($"{jobName}|cutoff", cutoffAt);

    /// <summary>A wave of catching up, known by the instant at which it was found necessary.</summary>
    public static JobId ForCatchUp(string jobName, Instant foundAt) => Derive($"{jobName}|catch-up", foundAt);

    /// <summary>
    /// A UUID of version 8 (RFC 9562): the first 122 free bits of a SHA-256 over the name and the ticks.
    /// </summary>
    private static JobId Derive(string name, Instant instant)
    {
        Span<byte> ticks = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(ticks, instant.ToUnixTimeTicks());
        var id = SHA256.HashData([.. Encoding.UTF8.GetBytes(name), 0, .. ticks]).AsSpan(0, 16);
        id[6] = (byte)((id[6] & 0x0F) | 0x80);
        id[8] = (byte)((id[8] & 0x3F) | 0x80);
        return new JobId(new Guid(id, bigEndian: true));
    }
}
