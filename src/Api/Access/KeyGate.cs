namespace Actors.Api.Access;

/// <summary>
/// How many API keys are looked up at the same time, so that strangers who send made-up keys do not hold the pool that
/// everybody is answered from. Addresses that have failed too often get one lookup at a time, with some waiting; what
/// comes beyond is refused unseen. Their valid callers are not shut out by that: whose key was good a moment ago goes
/// the way of all others, and the rest wait for their turn in the narrow one. The database decides about each key each
/// time.
/// </summary>
internal sealed class KeyGate(TimeProvider time, int atOnce = 4, int mostSuspects = 64) : IDisposable
{
    /// <summary>For how long a key that was good is remembered.</summary>
    public static readonly TimeSpan RememberedFor = TimeSpan.FromSeconds(60);

    // A power of two: one slot for each remembered key, the newer in the place of the older.
    private const int Slots = 1_024;

    private readonly SemaphoreSlim wide = new(atOnce);
    private readonly SemaphoreSlim narrow = new(1);
    private readonly Good?[] good = new Good?[Slots];
    private int suspects;

    /// <summary>Waits for a turn, which ends when it is disposed of.</summary>
    /// <param name="hash">Of the key that is to be looked up.</param>
    /// <param name="isSuspect">Whether whoever sends it has failed too often; asked again after a wait.</param>
    /// <param name="cancellationToken">Whoever asked is gone.</param>
    /// <exception cref="TooManyKeysException">Too many wait in the narrow way.</exception>
    public async Task<IDisposable> EnterAsync(byte[] hash, Func<bool> isSuspect, CancellationToken cancellationToken)
    {
        var wasGood = WasGood(hash);
        if (wasGood || !isSuspect())
        {
            await wide.WaitAsync(cancellationToken);
            if (wasGood || !isSuspect()) return new Turn(wide);
            wide.Release();
        }

        try
        {
            if (Interlocked.Increment(ref suspects) > mostSuspects) throw new TooManyKeysException();
            await narrow.WaitAsync(cancellationToken);
            return new Turn(narrow);
        }
        finally
        {
            Interlocked.Decrement(ref suspects);
        }
    }

    /// <summary>Remembers that this key was good just now.</summary>
    public void Remember(byte[] hash) => Volatile.Write(ref SlotOf(hash), new Good(hash, time.GetTimestamp()));

    public void Dispose()
    {
        wide.Dispose();
        narrow.Dispose();
    }

    private bool WasGood(byte[] hash) =>
        Volatile.Read(ref SlotOf(hash)) is { } found
        && found.Hash.AsSpan().SequenceEqual(hash)
        && time.GetElapsedTime(found.At) < RememberedFor;

    private ref Good? SlotOf(byte[] hash) => ref good[BitConverter.ToUInt16(hash) & (Slots - 1)];

    private sealed record Good(byte[] Hash, long At);

    private sealed class Turn(SemaphoreSlim way) : IDisposable
    {
        private int left;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref left, 1) == 0) way.Release();
        }
    }
}

/// <summary>A key was not looked up: too many come from addresses that send keys that are not good.</summary>
internal sealed class TooManyKeysException() : Exception("Too many API keys that are not good are sent.");
