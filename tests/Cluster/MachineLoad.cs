using System.Diagnostics;
using System.Globalization;

namespace Actors.Tests.Cluster;

/// <summary>
/// How much longer work takes on this machine than it would on one whose processors are free. A thread of this process
/// works for 20 ms twice a second, and Linux counts for how long it ran and how long it was ready to
/// run and had to wait for a processor.
/// </summary>
internal static class MachineLoad
{
    private const string Counts = "/proc/thread-self/schedstat";

    private static readonly TimeSpan Work = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(480);
    private static readonly Lock Door = new();
    private static Moment sum = new(0, 0);

    /// <summary>Begins to look, at the first call of the process.</summary>
    static MachineLoad()
    {
        if (File.Exists(Counts)) new Thread(Look) { IsBackground = true, Name = "machine load" }.Start();
    }

    /// <summary>What was counted so far.</summary>
    public static Moment Now()
    {
        lock (Door) return sum;
    }

    /// <summary>1 on a machine that is free, 3 where what takes a second elsewhere has taken three.</summary>
    public static double StretchSince(Moment then)
    {
        var now = Now();
        return now.Ran > then.Ran ? 1 + ((now.Waited - then.Waited) / (now.Ran - then.Ran)) : 1;
    }

    private static void Look()
    {
        using var never = new ManualResetEvent(false);
        while (!never.WaitOne(Pause))
        {
            var (before, began) = (Read(), Stopwatch.GetTimestamp());
            while (Stopwatch.GetElapsedTime(began) < Work) Thread.SpinWait(1_000);
            var after = Read();
            lock (Door) sum = new(sum.Ran + after.Ran - before.Ran, sum.Waited + after.Waited - before.Waited);
        }
    }

    private static Moment Read()
    {
        var counts = File.ReadAllText(Counts).Split(' ');
        return new(double.Parse(counts[0], CultureInfo.InvariantCulture),
            double.Parse(counts[1], CultureInfo.InvariantCulture));
    }

    /// <param name="Ran">Nanoseconds.</param>
    /// <param name="Waited">Nanoseconds.</param>
    internal readonly record struct Moment(double Ran, double Waited);
}
