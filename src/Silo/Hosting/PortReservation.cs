using System.Net;
using System.Net.Sockets;

namespace Actors.Silo.Hosting;

/// <summary>
/// The two ports of a silo, held from before it starts until it is disposed of.
/// <para>
/// Orleans writes a silo into the membership before it binds its ports, and a newer silo at an address declares the
/// older one there dead. So of two processes that found the same ports free, the one that fails to bind them would
/// take the other along. Nobody speaks UDP here: its ports of the same numbers are the reservation, which the kernel
/// gives to one process only and takes back however that ends.
/// </para>
/// </summary>
public sealed class PortReservation : IDisposable
{
    /// <summary>How many usual pairs are tried, before any two ports will do.</summary>
    private const int UsualPairs = 32;

    private readonly Socket[] held;

    private PortReservation(SiloPorts ports, Socket[] held) => (Ports, this.held) = (ports, held);

    public SiloPorts Ports { get; }

    /// <summary>
    /// The first usual pair that is free, so that a silo mostly keeps its ports over restarts; else any two.
    /// </summary>
    public static PortReservation Find(IPAddress address) =>
        TryTake(address, null, null) ?? throw new IOException($"No port is free on {address}.");

    /// <summary>With the ports that were asked for, and free ones in place of those that were not.</summary>
    /// <returns>Null where a port that was asked for is taken.</returns>
    public static PortReservation? TryTake(IPAddress address, int? silo, int? gateway)
    {
        if (silo is { } one && gateway is { } other) return TryTake(address, new SiloPorts(one, other));
        return Enumerable.Range(0, UsualPairs)
            .Select(pair => new SiloPorts(SiloPorts.Usual.Silo + pair, SiloPorts.Usual.Gateway + pair))
            .Concat(Enumerable.Range(0, UsualPairs).Select(_ => SiloPorts.FindAny(address)))
            .Select(ports => TryTake(address, new SiloPorts(silo ?? ports.Silo, gateway ?? ports.Gateway)))
            .FirstOrDefault(reservation => reservation is not null);
    }

    public void Dispose()
    {
        foreach (var socket in held) socket.Dispose();
    }

    private static PortReservation? TryTake(IPAddress address, SiloPorts ports)
    {
        var held = new List<Socket>();
        try
        {
            foreach (var port in (int[])[ports.Silo, ports.Gateway])
            {
                held.Add(new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp));
                held[^1].Bind(new IPEndPoint(address, port));
            }

            if (SiloPorts.IsFree(address, ports.Silo) && SiloPorts.IsFree(address, ports.Gateway))
                return new PortReservation(ports, [.. held]);
        }
        catch (SocketException)
        {
            // Another silo has reserved it.
        }

        foreach (var socket in held) socket.Dispose();
        return null;
    }
}
