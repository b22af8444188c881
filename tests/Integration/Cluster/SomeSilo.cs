using System.Net;
using Xunit;

namespace Actors.Tests.Integration.Cluster;

/// <summary>Members of a cluster whose content does not matter, unless a test says so.</summary>
internal static class SomeSilo
{
    /// <summary>Ten in the morning of some day, with nothing below the second.</summary>
    public static readonly DateTime Start = new(2026, 8, 1, 10, 0, 0, DateTimeKind.Utc);

    private static int _generation;

    public static SiloAddress Address(string ip = "127.0.0.1", int port = 11111) =>
        SiloAddress.New(IPAddress.Parse(ip), port, Interlocked.Increment(ref _generation));

    public static MembershipEntry Entry(
        SiloStatus status = SiloStatus.Joining,
        string ip = "127.0.0.1",
        int proxyPort = 30000,
        DateTime? start = null) =>
        new()
        {
            SiloAddress = Address(ip),
            SiloName = "silo-1",
            HostName = "host-1",
            Status = status,
            ProxyPort = proxyPort,
            StartTime = start ?? Start,
            IAmAliveTime = start ?? Start,
        };

    /// <summary>Adds the silo at the version that the table has now.</summary>
    public static async Task<MembershipEntry> InsertAsync(this IMembershipTable table, MembershipEntry entry)
    {
        var version = (await table.ReadAllAsync()).Version;
        Assert.True(await table.InsertRowAsync(entry, version.Next()));
        return entry;
    }

    /// <summary>Changes the silo at the version that the table has now.</summary>
    public static async Task<bool> UpdateAsync(this IMembershipTable table, MembershipEntry entry)
    {
        var version = (await table.ReadRowAsync(entry.SiloAddress)).Version;
        // A silo's etag is that of the whole table.
        return await table.UpdateRowAsync(entry, version.VersionEtag, version.Next());
    }

    public static async Task<MembershipEntry> SingleAsync(this IMembershipTable table, SiloAddress address) =>
        Assert.Single((await table.ReadRowAsync(address)).Members).Item1;
}
