namespace Actors.Benchmarks.Measuring;

/// <summary>A scheduler was not up before the cutoff that it was to be measured at.</summary>
internal sealed class CutoffCameTooSoonException() : InvalidOperationException(
    "The cutoff came before the scheduler was up: give --lead more seconds.");

/// <summary>The time between the start of a scheduler and the cutoff.</summary>
internal static class Lead
{
    private const int SecondsAtMost = 300;

    /// <summary>Measures with a lead, and on a machine that is too slow for it again with twice of it.</summary>
    /// <param name="seconds">The first lead.</param>
    /// <param name="measureAsync">Takes the lead, in seconds.</param>
    /// <exception cref="CutoffCameTooSoonException">Even minutes were not enough.</exception>
    public static async Task<T> LongEnoughAsync<T>(int seconds, Func<int, Task<T>> measureAsync)
    {
        for (; ; seconds *= 2)
        {
            try
            {
                return await measureAsync(seconds);
            }
            catch (CutoffCameTooSoonException) when (seconds < SecondsAtMost)
            {
                // Once more, with more time.
            }
        }
    }
}
