using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Actors.Tests.Cluster;

/// <summary>Passes connections on to the database, until it is cut; and again, when it is mended.</summary>
internal sealed class DatabaseRelay : IAsyncDisposable
{
    private readonly TcpListener listener;
    private readonly int databasePort;
    private readonly CancellationTokenSource ended = new();
    private readonly ConcurrentDictionary<TcpClient, bool> open = new();
    private volatile TaskCompletionSource? mended;
    private volatile bool refuses;

    private DatabaseRelay(IPAddress address, int databasePort)
    {
        listener = new TcpListener(address, 0);
        this.databasePort = databasePort;
    }

    /// <summary>Where it listens.</summary>
    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <param name="address">Where it listens, at a port that is free.</param>
    /// <param name="databasePort">The database's, on this machine.</param>
    public static DatabaseRelay Start(IPAddress address, int databasePort)
    {
        var relay = new DatabaseRelay(address, databasePort);
        relay.listener.Start();
        _ = relay.AcceptAsync();
        return relay;
    }

    /// <summary>From here on nothing passes.</summary>
    /// <param name="how">What becomes of the connections.</param>
    public void Cut(Cut how)
    {
        mended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        refuses = how == Cluster.Cut.Refused;
        if (!refuses) return;
        foreach (var connection in open.Keys) connection.Close();
    }

    /// <summary>It passes on again, also what was held.</summary>
    public void Mend()
    {
        refuses = false;
        mended?.SetResult();
        mended = null;
    }

    public async ValueTask DisposeAsync()
    {
        await ended.CancelAsync();
        listener.Dispose();
        foreach (var connection in open.Keys) connection.Close();
        ended.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            try
            {
                _ = PassOnAsync(await listener.AcceptTcpClientAsync(ended.Token));
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or SocketException)
            {
                return;
            }
        }
    }

    private async Task PassOnAsync(TcpClient from)
    {
        using (from)
        {
            if (refuses) return;
            open[from] = true;
            using var to = new TcpClient();
            try
            {
                await to.ConnectAsync(IPAddress.Loopback, databasePort, ended.Token);
                (from.NoDelay, to.NoDelay) = (true, true);
                await Task.WhenAny(
                    PassOnAsync(from.GetStream(), to.GetStream()), PassOnAsync(to.GetStream(), from.GetStream()));
            }
            catch (Exception e) when (e is IOException or SocketException or OperationCanceledException
                or ObjectDisposedException or InvalidOperationException)
            {
                // One of the two is gone, and so is the connection.
            }
            finally
            {
                open.TryRemove(from, out bool _);
            }
        }
    }

    private async Task PassOnAsync(NetworkStream from, NetworkStream to)
    {
        var buffer = new byte[16 * 1024];
        while (true)
        {
            var read = await from.ReadAsync(buffer, ended.Token);
            if (mended is { } held) await held.Task.WaitAsync(ended.Token);
            if (read == 0) return;
            await to.WriteAsync(buffer.AsMemory(0, read), ended.Token);
        }
    }
}

/// <summary>How a way to the database is cut.</summary>
public enum Cut
{
    /// <summary>Connections are closed, and new ones refused.</summary>
    Refused,

    /// <summary>Connections stay open, and nothing comes through them until the way is mended.</summary>
    Silent,
}
