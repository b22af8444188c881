using System.Diagnostics;
using System.Net;

namespace Actors.Tests.Cluster;

/// <summary>
/// Network namespaces on one bridge, an address in each, so that silos can be cut off from each other while all of them
/// still reach the database; a relay on the bridge passes their connections on to it. Needs root and `ip`.
/// </summary>
internal sealed class SiloNetwork : IAsyncDisposable
{
    // Of its own for each test process of the machine, as far as one octet goes.
    private static readonly string Prefix = $"10.213.{1 + (Environment.ProcessId % 250)}.";
    private readonly string bridge = $"af{Environment.ProcessId % 100_000}";
    private readonly DatabaseRelay relay;
    private readonly int members;

    private SiloNetwork(int members, int databasePort) =>
        (this.members, relay) = (members, DatabaseRelay.Start(IPAddress.Any, databasePort));

    /// <summary>Where a silo in a namespace finds the database.</summary>
    public static string DatabaseHost => $"{Prefix}1";

    public int DatabasePort => relay.Port;

    /// <summary>The network, or null where this machine does not let us make one.</summary>
    public static async Task<SiloNetwork?> TryCreateAsync(int members, int databasePort)
    {
        var network = new SiloNetwork(members, databasePort);
        try
        {
            if (!Environment.IsPrivilegedProcess || !await network.TryMakeAsync())
            {
                await network.DisposeAsync();
                return null;
            }
        }
        catch (System.ComponentModel.Win32Exception)
        {
            // There is no program `ip`.
            await network.relay.DisposeAsync();
            return null;
        }

        return network;
    }

    public static string AddressOf(int member) => $"{Prefix}{11 + member}";

    /// <summary>What a program is started with to live there.</summary>
    public string[] Inside(int member) => ["ip", "netns", "exec", NameOf(member)];

    /// <summary>From here on nothing passes between one and the others.</summary>
    public async Task CutOffAsync(int member)
    {
        foreach (var other in Enumerable.Range(0, members).Where(other => other != member))
        {
            await RunAsync("-n", NameOf(member), "route", "add", "blackhole", AddressOf(other));
            await RunAsync("-n", NameOf(other), "route", "add", "blackhole", AddressOf(member));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await relay.DisposeAsync();
        for (var member = 0; member < members; member++) await RunAsync("netns", "delete", NameOf(member));
        await RunAsync("link", "delete", bridge);
    }

    private async Task<bool> TryMakeAsync()
    {
        var made = await RunAsync("link", "add", bridge, "type", "bridge")
            && await RunAsync("address", "add", $"{DatabaseHost}/24", "dev", bridge)
            && await RunAsync("link", "set", bridge, "up");
        for (var member = 0; made && member < members; member++)
        {
            var (name, port) = (NameOf(member), $"{bridge}p{member}");
            made = await RunAsync("netns", "add", name)
                && await RunAsync("link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", name)
                && await RunAsync("link", "set", port, "master", bridge, "up")
                && await RunAsync("-n", name, "address", "add", $"{AddressOf(member)}/24", "dev", "eth0")
                && await RunAsync("-n", name, "link", "set", "eth0", "up")
                && await RunAsync("-n", name, "link", "set", "lo", "up");
        }

        return made;
    }

    private string NameOf(int member) => $"{bridge}n{member}";

    private static async Task<bool> RunAsync(params string[] arguments)
    {
        using var ip = Process.Start(new ProcessStartInfo("ip", arguments) { RedirectStandardError = true })!;
        await ip.WaitForExitAsync();
        return ip.ExitCode == 0;
    }
}
