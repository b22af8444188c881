namespace Actors.Tests.Support;

/// <summary>
/// For what happens beside the test and emits nothing to wait for, such as another process or a word sent one way:
/// looks again and again, for half a minute at most unless the caller says otherwise. After the first second it looks
/// less often, so that looking does not take the processor from what it waits for.
/// </summary>
public static class Eventually
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LaterInterval = TimeSpan.FromMilliseconds(100);
    private const int LooksOfFirstSecond = 50;

    /// <summary>Ends when the condition holds.</summary>
    /// <param name="what">What is awaited, as the end of a sentence.</param>
    /// <param name="condition">Looked at some fifty times in the first second, and ten times in each after it.</param>
    /// <exception cref="TimeoutException">It never came to hold.</exception>
    public static Task HoldsAsync(string what, Func<Task<bool>> condition) => HoldsAsync(what, Limit, condition);

    /// <summary>The same, with a limit of its own.</summary>
    public static async Task HoldsAsync(string what, TimeSpan atMost, Func<Task<bool>> condition)
    {
        ArgumentNullException.ThrowIfNull(condition);
        using var limit = new CancellationTokenSource(atMost);
        using var timer = new PeriodicTimer(Interval);
        for (var looks = 1; !await condition(); looks++)
        {
            if (looks == LooksOfFirstSecond) timer.Period = LaterInterval;
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
