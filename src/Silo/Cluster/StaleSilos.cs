using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace Actors.Silo.Cluster;

/// <summary>
/// Clears the membership of a cluster of which nobody lives. A silo that starts waits for every silo in the table that
/// does not answer, until its row is 15 s old; after a crash of the whole cluster no cutoff is served for that long.
/// Only where every one of them is refused is anything removed: a refusal says that the machine is
/// there and the silo is not. Where one answers, or keeps silent, the living sort out the dead among themselves.
/// </summary>
public static class StaleSilos
{
    /// <summary>How long a silo has to answer, before its silence is taken for a sign that it may live.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <param name="orleans">Orleans' own data source.</param>
    /// <param name="clusterId">The cluster about to be joined.</param>
    /// <param name="nobodyElse">The caller knows that no silo lives, so none is asked.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>How many rows were removed.</returns>
    public static async Task<int> ClearAsync(
        NpgsqlDataSource orleans, string clusterId, bool nobodyElse, CancellationToken cancellationToken)
    {
        if (!nobodyElse)
        {
            var answers = await Task.WhenAll((await ReadAsync(orleans, clusterId, cancellationToken))
                .Select(silo => MayLiveAsync(silo, cancellationToken)));
            if (answers.Contains(true)) return 0;
        }

        // A silo that came between the question and this statement is younger than any that was asked, and is kept.
        await using var delete = orleans.CreateCommand(
            """
            DELETE FROM orleans.silos
            WHERE cluster_id = @cluster_id
              AND (@nobody_else OR i_am_alive_time < clock_timestamp() - make_interval(secs => 2 * @patience))
            """);
        delete.Parameters.AddWithValue("cluster_id", clusterId);
        delete.Parameters.AddWithValue("nobody_else", nobodyElse);
        delete.Parameters.AddWithValue("patience", Patience.TotalSeconds);
        return await delete.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task<IReadOnlyList<IPEndPoint>> ReadAsync(
        NpgsqlDataSource orleans, string clusterId, CancellationToken cancellationToken)
    {
        await using var command = orleans.CreateCommand(
            "SELECT address, port FROM orleans.silos WHERE cluster_id = @cluster_id AND status <> 6");
        command.Parameters.AddWithValue("cluster_id", clusterId);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var silos = new List<IPEndPoint>();
        while (await reader.ReadAsync(cancellationToken))
            silos.Add(new IPEndPoint(IPAddress.Parse(reader.GetString(0)), reader.GetInt32(1)));
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
}
