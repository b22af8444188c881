using System.Net;
using System.Net.Sockets;
using Actors.Silo.Hosting;
using Xunit;

namespace Actors.Tests.Unit.Hosting;

public sealed class PortReservationTests
{
    [Fact]
    public void What_one_has_reserved_no_other_gets_until_it_is_given_back()
    {
        using var first = PortReservation.Find(IPAddress.Loopback);
        using var second = PortReservation.Find(IPAddress.Loopback);
        int[] ports = [first.Ports.Silo, first.Ports.Gateway, second.Ports.Silo, second.Ports.Gateway];
        Assert.Equal(4, ports.Distinct().Count());

        Assert.Null(PortReservation.TryTake(IPAddress.Loopback, first.Ports.Silo, null));
        first.Dispose();
        using var again = PortReservation.TryTake(IPAddress.Loopback, first.Ports.Silo, null);
        Assert.Equal(first.Ports.Silo, again?.Ports.Silo);
    }

    [Fact]
    public void A_port_that_any_program_listens_on_is_not_to_be_had()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var taken = ((IPEndPoint)listener.LocalEndpoint).Port;

        Assert.Null(PortReservation.TryTake(IPAddress.Loopback, taken, null));
        Assert.Null(PortReservation.TryTake(IPAddress.Loopback, null, taken));
    }
}
