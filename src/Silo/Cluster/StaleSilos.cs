using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace Actors.Silo.Cluster;

/// <summary>
/// Clears the membership of a cluster of which nobody lives. A silo that starts waits for every silo in the table that
/// does not answer, until its row is 15 s old; after a crash of the whole cluster no cutoff is served for that long.
/// Only where every one of them is refused, and none gives a sign of life for a little longer than the living do, is
/// anything removed: a refusal says that the machine is there and the silo is not. Where one answers, or keeps silent,
/// the living sort out the dead among themselves.
/// </summary>
public static class StaleSilos
{
    /// <summary>How long a silo has to answer, before its silence is taken for a sign that it may live.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>Something before a silo may refuse for it (a firewall), but cannot keep it from writing this.</summary>
    private static readonly TimeSpan NoSignOfLife = FailureDetection.SignOfLife + TimeSpan.FromSeconds(1);

    /// <summary>
    /// Removes all of them or none: what has changed since it was read is somebody's who lives. Whoever joined
    /// meanwhile is none of those that were asked, and is kept.
    /// </summary>
    private const string Delete =
        """
        WITH asked AS (
          SELECT * FROM unnest(@addresses, @ports, @generations, @signs) AS a (address, port, generation, sign)
        )
        DELETE FROM orleans.silos s USING asked a
        WHERE s.cluster_id = @cluster_id AND (s.address, s.port, s.generation) = (a.address, a.port, a.generation)
          AND NOT EXISTS (
            SELECT FROM asked b JOIN orleans.silos t USING (address, port, generation)
            WHERE t.cluster_id = @cluster_id AND t.i_am_alive_time <> b.sign)
        """;

    /// <param name="orleans">Orleans' own data source.</param>
    /// <param name="clusterId">The cluster about to be joined.</param>
    /// <param name="own">Where the caller will listen: who was there before it is gone.</param>
    /// <param name="nobodyElse">The caller knows that no silo lives, so none is asked.</param>
    /// <param name="time">Counts the wait for a sign of life.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>How many rows were removed.</returns>
    public static async Task<int> ClearAsync(
        NpgsqlDataSource orleans, string clusterId, IPEndPoint own, bool nobodyElse, TimeProvider time,
        CancellationToken cancellationToken)
    {
        var members = await ReadAsync(orleans, clusterId, cancellationToken);
        if (members.Count == 0) return 0;
        var others = members.Where(member => !member.Place.Equals(own)).ToArray();
        if (!nobodyElse && others.Length > 0)
        {
            var answers = await Task.WhenAll(others.Select(member => MayLiveAsync(member.Place, cancellationToken)));
            if (answers.Contains(true)) return 0;
            var wait = NoSignOfLife - others.Min(member => member.Age);
            // By a clock that is wrong it may be of the future.
            if (wait > NoSignOfLife) wait = NoSignOfLife;
            if (wait > TimeSpan.Zero) await Task.Delay(wait, time, cancellationToken);
        }

        await using var delete = orleans.CreateCommand(Delete);
        delete.Parameters.AddWithValue("cluster_id", clusterId);
        delete.Parameters.AddWithValue("addresses", members.Select(m => m.Address).ToArray());
        delete.Parameters.AddWithValue("ports", members.Select(m => m.Port).ToArray());
        delete.Parameters.AddWithValue("generations", members.Select(m => m.Generation).ToArray());
        delete.Parameters.AddWithValue("signs", members.Select(m => m.Sign).ToArray());
        return await delete.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task<IReadOnlyList<Member>> ReadAsync(
        NpgsqlDataSource orleans, string clusterId, CancellationToken cancellationToken)
    {
        await using var command = orleans.CreateCommand(
            """
            SELECT address, port, generation, i_am_alive_time, clock_timestamp() - i_am_alive_time
            FROM orleans.silos WHERE cluster_id = @cluster_id AND status <> 6
            """);
        command.Parameters.AddWithValue("cluster_id", clusterId);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var silos = new List<Member>();
        while (await reader.ReadAsync(cancellationToken))
        {
            silos.Add(new Member(
                reader.GetString(0), reader.GetInt32(1), reader.GetInt32(2), reader.GetDateTime(3),
                reader.GetTimeSpan(4)));
        }

        return silos;
    }

    private static async Task<bool> MayLiveAsync(IPEndPoint silo, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Patience);
        using var socket = new Socket(silo.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(silo, limit.Token);
            return true;
        }
        catch (SocketException error)
        {
            return error.SocketErrorCode != SocketError.ConnectionRefused;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return true;
        }
    }

    /// <summary>A row of the membership; its sign of life was written by that silo's own clock.</summary>
    private sealed record Member(string Address, int Port, int Generation, DateTime Sign, TimeSpan Age)
    {
        public IPEndPoint Place { get; } = new(IPAddress.Parse(Address), Port);
    }
}
