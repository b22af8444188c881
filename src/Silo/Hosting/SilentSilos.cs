using System.Net;
using Actors.Silo.Cluster;
using Npgsql;

namespace Actors.Silo.Hosting;

/// <summary>
/// A silo that alone cannot reach the database answers the others' probes, so that Orleans lets it keep its agencies,
/// and perhaps the coordinator, none of which it can serve. The others can tell: its sign of life stands still while
/// theirs move (<see cref="SignsOfLife"/>). Each silo looks, and declares dead whom it finds silent; that several do is
/// harmless, since one changes the row and the others find it changed.
/// <para>
/// The sign of life stands for Orleans' own pool, and so the looks go through that. A silo whose grains' pool alone
/// does not work, as where its pooler is gone, is not found here. One whose Orleans' pool alone does not work is, and
/// should be: it learns of no change of the membership, and arms nobody's reminder.
/// </para>
/// </summary>
internal sealed partial class SilentSilos(
    [FromKeyedServices(MembershipCleaning.OrleansPool)] NpgsqlDataSource orleans,
    IClusterMembershipService membership,
    ILocalSiloDetails own,
    SiloSettings settings,
    TimeProvider time,
    ILogger<SilentSilos> logger) : BackgroundService
{
    private const string Active =
        """
        SELECT address, port, generation, i_am_alive_time
        FROM orleans.silos WHERE cluster_id = @cluster AND status = 3
        """;

    private const string Touch =
        """
        UPDATE orleans.silos SET i_am_alive_time = i_am_alive_time
        WHERE cluster_id = @cluster AND (address, port, generation) = (@address, @port, @generation)
          AND status = 3 AND i_am_alive_time = @sign
        """;

    private readonly long _started = time.GetTimestamp();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var seen = SignsOfLife.NothingSeen(own.SiloAddress);
        var hasFailed = false;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(SignsOfLife.Pause, time, stoppingToken);
                seen = await LookAsync(seen, stoppingToken);
                hasFailed = false;
            }
            catch (Exception error)
            {
                if (stoppingToken.IsCancellationRequested) return;
                if (!hasFailed) LogFailed(error.Message);
                hasFailed = true;
                // It may be away for all: who could not write meanwhile has the whole time again when it is back.
                seen = SignsOfLife.NothingSeen(own.SiloAddress);
            }
        }
    }

    private async Task<SignsOfLife> LookAsync(SignsOfLife seen, CancellationToken stoppingToken)
    {
        var asked = time.GetElapsedTime(_started);
        var signs = await ReadAsync(stoppingToken);
        // The others may have declared us dead while we could not see it: then Orleans reads it now, and ends us.
        if (!signs.ContainsKey(own.SiloAddress)) await membership.Refresh(default, stoppingToken);
        var now = seen.Look(asked, time.GetElapsedTime(_started), signs);
        foreach (var (silo, silence) in now.Silent)
        {
            if (!await CouldWriteAsync(silo, signs[silo], stoppingToken)) continue;
            LogSilent(silo, silence.TotalSeconds);
            await membership.TryKill(silo);
        }

        return now;
    }

    private async Task<Dictionary<SiloAddress, DateTime>> ReadAsync(CancellationToken cancellationToken)
    {
        await using var command = orleans.CreateCommand(Active);
        command.Parameters.AddWithValue("cluster", settings.ClusterId);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var signs = new Dictionary<SiloAddress, DateTime>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var address = SiloAddress.New(IPAddress.Parse(reader.GetString(0)), reader.GetInt32(1), reader.GetInt32(2));
            signs.Add(address, reader.GetDateTime(3));
        }

        return signs;
    }

    /// <summary>
    /// Writes the sign of another anew, as it is. On a full disk one row may find room and another none, and somebody
    /// may hold a row: then its silo is not to blame. And a declaration that fails Orleans repeats until it succeeds,
    /// when there may be no reason for it any more.
    /// </summary>
    /// <returns>False where the sign has moved meanwhile.</returns>
    private async Task<bool> CouldWriteAsync(SiloAddress silo, DateTime sign, CancellationToken cancellationToken)
    {
        await using var command = orleans.CreateCommand(Touch);
        command.Parameters.AddWithValue("cluster", settings.ClusterId);
        command.Parameters.AddWithValue("address", silo.Endpoint.Address.ToString());
        command.Parameters.AddWithValue("port", silo.Endpoint.Port);
        command.Parameters.AddWithValue("generation", silo.Generation);
        command.Parameters.AddWithValue("sign", sign);
        return await command.ExecuteNonQueryAsync(cancellationToken) == 1;
    }

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "Silo {Silo} has given no sign of life for {Seconds:0.0} s, while this one has: it cannot reach the "
            + "database, and is declared dead, so that others serve its agencies.")]
    private partial void LogSilent(SiloAddress silo, double seconds);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "The signs of life cannot be read or written; until they can, nobody's silence counts: {Error}")]
    private partial void LogFailed(string error);
}
