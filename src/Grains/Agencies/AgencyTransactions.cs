using Actors.Grains.Cutoffs;
using Actors.Grains.Interfaces;
using NodaTime;

namespace Actors.Grains.Agencies;

/// <summary>
/// Where what people ask of one agency meets the database: a few at a time, so that a herd of requests cannot take the
/// connections that the marker needs.
/// </summary>
internal sealed class AgencyTransactions(GrainDatabase database) : IDisposable
{
    /// <summary>How many of them read or write at once; the grains' pool has 16 connections.</summary>
    private const int AtOnce = 4;

    private readonly SemaphoreSlim _places = new(AtOnce);

    /// <summary>
    /// Does its work in one transaction that holds the agency's watermark, so that the marker is not at work on it
    /// meanwhile. The work commits; what it has not committed when it ends is rolled back.
    /// </summary>
    /// <exception cref="AgencyIsHeldException">Somebody else holds the watermark; nothing was done.</exception>
    public async Task<T> LockedAsync<T>(
        AgencyId agency, Func<WatermarkTransaction, AgencyState?, Instant, Task<T>> work,
        CancellationToken cancellationToken)
    {
        await _places.WaitAsync(cancellationToken);
        try
        {
            await using var connection = await database.Source.OpenConnectionAsync(cancellationToken);
            await using var transaction = await WatermarkTransaction.BeginAsync(
                connection, database.Clock, cancellationToken);
            var (state, now) = await transaction.LockAndReadAsync(agency, cancellationToken);
            return await work(transaction, state, now);
        }
        finally
        {
            _places.Release();
        }
    }

    /// <summary>What the database says of the agency just now, without a lock; null where there is none.</summary>
    public async Task<(AgencyState? State, Instant Now)> PeekAsync(
        AgencyId agency, CancellationToken cancellationToken)
    {
        await _places.WaitAsync(cancellationToken);
        try
        {
            return await WatermarkTransaction.PeekAsync(database, agency, cancellationToken);
        }
        finally
        {
            _places.Release();
        }
    }

    public void Dispose() => _places.Dispose();
}
