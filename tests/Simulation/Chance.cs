using NodaTime;

namespace Actors.Tests.Simulation;

/// <summary>
/// Every choice of a simulated world comes from here: SplitMix64, which is the same on every machine and every version
/// of .NET, so that a seed means the same world for as long as the code that draws from it stays.
/// </summary>
internal sealed class Chance(ulong seed)
{
    private ulong _state = seed;

    /// <summary>A stream of its own, so that one part of the world can draw more without moving another.</summary>
    public Chance Fork() => new(Next());

    /// <summary>A number from 0 up to but not including the bound.</summary>
    public int Below(int bound) => (int)Math.BigMul(Next(), (ulong)bound, out _);

    /// <summary>A number from the first to the last, both included.</summary>
    public int From(int first, int last) => first + Below(last - first + 1);

    /// <summary>True in about so many cases of a thousand.</summary>
    public bool PerMille(int cases) => Below(1_000) < cases;

    public bool Percent(int cases) => Below(100) < cases;

    public T Of<T>(IReadOnlyList<T> values) => values[Below(values.Count)];

    /// <summary>A duration of whole milliseconds, both ends included.</summary>
    public Duration Between(Duration least, Duration most) => least + Duration.FromMilliseconds(
        (long)Math.BigMul(Next(), (ulong)(most - least).TotalMilliseconds + 1, out _));

    /// <summary>An id that follows from the seed, unlike those that the database makes up.</summary>
    public Guid Id()
    {
        Span<byte> bytes = stackalloc byte[16];
        BitConverter.TryWriteBytes(bytes, Next());
        BitConverter.TryWriteBytes(bytes[8..], Next());
        return new Guid(bytes, bigEndian: true);
    }

    private ulong Next()
    {
        var mixed = _state += 0x9E37_79B9_7F4A_7C15;
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58_476D_1CE4_E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D0_49BB_1331_11EB;
        return mixed ^ (mixed >> 31);
    }
}
