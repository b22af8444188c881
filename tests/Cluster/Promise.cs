using System.Globalization;
using Xunit;

namespace Actors.Tests.Cluster;

/// <summary>
/// How late cutoffs may be (see "What bounds the delay" in ARCHITECTURE.md), and the one rule by which tests hold it.
/// <para>
/// Lateness is data: the time at which PostgreSQL, by its own clock, saw an installment's status change, less the
/// cutoff; or, where the database itself was what failed, less the end of that, if it came later. What was served
/// before the fault began is told beside it, as a control.
/// </para>
/// <para>
/// What is promised consists of patience, which every machine has the same of, and of work: less than a second of it.
/// Where the processors had others to serve while the fault lasted, and a second of work has taken three
/// (<see cref="MachineLoad"/> measures that all along), cutoffs may be later than promised by two seconds.
/// </para>
/// </summary>
public static class Promise
{
    /// <summary>A batch-mate of something that fails.</summary>
    public static readonly TimeSpan Untouched = TimeSpan.FromSeconds(1);

    /// <summary>A silo is told to stop, or a new one joins.</summary>
    public static readonly TimeSpan Handover = TimeSpan.FromSeconds(5);

    /// <summary>A statement that failed is tried again after 1, 2 and 4 s.</summary>
    public static readonly TimeSpan Retries = TimeSpan.FromSeconds(7);

    /// <summary>
    /// From the end of what was wrong with the database: a sweep within 2 s, and for what was not yet late enough for
    /// it, the one after that.
    /// </summary>
    public static readonly TimeSpan DatabaseIsBack = TimeSpan.FromSeconds(17);

    /// <summary>A silo is killed, frozen or cut off; a whole cluster is killed and starts elsewhere.</summary>
    public static readonly TimeSpan DeadSilo = TimeSpan.FromSeconds(20);

    /// <summary>Whatever else is lost: what is 10 s late is found by a sweep, which comes every 15 s.</summary>
    public static readonly TimeSpan Sweep = TimeSpan.FromSeconds(25);

    private static readonly TimeSpan WorkInIt = TimeSpan.FromSeconds(1);

    /// <summary>Requires that cutoffs were no later than promised.</summary>
    public static void RequireKept(TimeSpan promise, Lateness late)
    {
        var excused = WorkInIt * (late.Stretch - 1);
        Assert.True(late.AtMost <= promise + excused, string.Create(
            CultureInfo.InvariantCulture,
            $"{late}; promised: {promise.TotalSeconds:0} s, excused: {excused.TotalSeconds:0.0} s."));
    }
}

/// <summary>How late cutoffs were, by PostgreSQL's clock.</summary>
/// <param name="Controls">Cutoffs that were served before the fault began.</param>
/// <param name="OfControls">How late the latest of them was; nothing where there is none.</param>
/// <param name="Cutoffs">All others.</param>
/// <param name="AtMost">How late the latest of these was.</param>
/// <param name="Later1">How many of these were later than 1 s.</param>
/// <param name="Later5">How many than 5 s.</param>
/// <param name="Installments">What was marked at all of them.</param>
/// <param name="Stretch">How many seconds a second of work has taken meanwhile.</param>
public sealed record Lateness(
    int Controls, TimeSpan OfControls, int Cutoffs, TimeSpan AtMost, int Later1, int Later5, int Installments,
    double Stretch)
{
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Controls} cutoffs before it, late by {OfControls.TotalSeconds:0.0} s at most; {Cutoffs} with it, by "
        + $"{AtMost.TotalSeconds:0.0} s at most, later than 1 s: {Later1}, than 5 s: {Later5}; "
        + $"{Installments} installments, work took {Stretch:0.0} times as long as on a free machine");
}
