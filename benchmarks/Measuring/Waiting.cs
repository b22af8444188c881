namespace Actors.Benchmarks.Measuring;

/// <summary>Looks again and again.</summary>
internal static class Waiting
{
    /// <summary>What looks is a load too.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(15);

    /// <exception cref="TimeoutException">It never came to hold.</exception>
    /// <param name="what">In words, for the exception.</param>
    /// <param name="atMost">When it is given up.</param>
    /// <param name="condition">What is looked at.</param>
    /// <param name="every">How often, where the look is dear.</param>
    public static async Task UntilAsync(
        string what, TimeSpan atMost, Func<Task<bool>> condition, TimeSpan? every = null)
    {
        using var limit = new CancellationTokenSource(atMost);
        using var timer = new PeriodicTimer(every ?? Interval);
        while (!await condition())
        {
            try
            {
                await timer.WaitForNextTickAsync(limit.Token);
            }
            catch (OperationCanceledException expired)
            {
                throw new TimeoutException($"In {atMost} it never came that {what}.", expired);
            }
        }
    }
}
