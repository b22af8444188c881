using System.Net;
using System.Net.Sockets;

namespace Actors.Silo.Hosting;

/// <summary>The two ports of a silo: for other silos, and for clients.</summary>
public sealed record SiloPorts(int Silo, int Gateway)
{
    /// <summary>
    /// What <see cref="PortReservation.Find"/> tries first; a second silo of a machine takes the next.
    /// </summary>
    public static readonly SiloPorts Usual = new(11_111, 30_000);

    /// <summary>Of a process that hosts no silo.</summary>
    public static readonly SiloPorts None = new(0, 0);

    /// <summary>Two ports that nobody holds at this moment.</summary>
    public static SiloPorts FindAny(IPAddress address)
    {
        using var silo = Listen(address, 0);
        using var gateway = Listen(address, 0);
        return new SiloPorts(PortOf(silo), PortOf(gateway));
    }

    /// <summary>Whether a listener could be bound now.</summary>
    public static bool IsFree(IPAddress address, int port)
    {
        try
        {
            using var listener = Listen(address, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static TcpListener Listen(IPAddress address, int port)
    {
        var listener = new TcpListener(address, port);
        listener.Start();
        return listener;
    }

    private static int PortOf(TcpListener listener) => ((IPEndPoint)listener.LocalEndpoint).Port;
}
