using Orleans.Configuration;

namespace Actors.Silo.Cluster;

/// <summary>
/// How soon the others take a silo for dead, and with it take over its agencies. A killed one refuses connections; a
/// frozen one keeps silent, and until then every cutoff of its agencies is late. See "What bounds the delay" in
/// ARCHITECTURE.md.
/// </summary>
internal static class FailureDetection
{
    /// <summary>
    /// A silo that answers no probe for three times this is dead: 9 s, and up to 3 s more until the second vote. A
    /// pause of its garbage collector is shorter by far.
    /// </summary>
    private static readonly TimeSpan LongestProbe = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan Probe = TimeSpan.FromSeconds(2);

    /// <summary>
    /// A silo that starts asks every silo of the table whose sign of life is younger than three times this. One that
    /// died with its machine cannot even refuse, and would be waited for that long.
    /// </summary>
    public static readonly TimeSpan SignOfLife = TimeSpan.FromSeconds(5);

    private const int Missed = 3;

    /// <summary>Of a change that no other silo told of, as after a partition.</summary>
    private static readonly TimeSpan TableRefresh = TimeSpan.FromSeconds(15);

    public static void Configure(ClusterMembershipOptions membership)
    {
        membership.ProbeTimeout = Probe;
        membership.MinProbeTimeout = Probe;
        membership.MaxProbeTimeout = LongestProbe;
        membership.NumMissedProbesLimit = Missed;
        membership.IAmAliveTablePublishTimeout = SignOfLife;
        membership.NumMissedTableIAmAliveLimit = Missed;
        membership.TableRefreshTimeout = TableRefresh;
        // It compares a start that one silo's clock says with the time of another's: one that is five minutes ahead
        // would suspect every silo that joins, and one as much behind would be suspected as it joins. A silo that dies
        // while it joins is probed like any other, and its row keeps nobody waiting.
        membership.EvictWhenMaxJoinAttemptTimeExceeded = false;
    }
}
