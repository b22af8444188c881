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
/// What is promised consists of patience, which every machine has the same of, and of work: mostly a second of it.
/// Where the processors had others to serve while the fault lasted, and a second of work has taken three
/// (<see cref="MachineLoad"/> measures that all along), cutoffs may be later than promised by two seconds.
/// </para>
/// </summary>
public static class Promise
{
    /// <summary>A batch-mate of something that fails.</summary>
    public static readonly Bound Untouched = new(1);

    /// <summary>A silo is told to stop, or a new one joins, which does all for the first time.</summary>
    public static readonly Bound Handover = new(5, SecondsOfWork: 2);

    /// <summary>A statement that failed is tried again after 1, 2 and 4 s.</summary>
    public static readonly Bound Retries = new(7);

    /// <summary>
    /// From the end of what was wrong with the database: the last pause of an agency that still retries, 4 s, or a
    /// sweep, which comes again every 2 s; and what that asks may have to try twice.
    /// </summary>
    public static readonly Bound DatabaseIsBack = new(10);

    /// <summary>A silo is killed, frozen or cut off.</summary>
    public static readonly Bound DeadSilo = new(20);

    /// <summary>
    /// A silo alone cannot reach the database: its sign of life stands still for 18 s, and was seen 2 s after it came.
    /// </summary>
    public static readonly Bound SilentSilo = new(25);

    /// <summary>A whole cluster is killed and starts elsewhere; a process that starts has much to do.</summary>
    public static readonly Bound DeadCluster = new(20, SecondsOfWork: 5);

    /// <summary>Whatever else is lost: what is 10 s late is found by a sweep, which comes every 15 s.</summary>
    public static readonly Bound Sweep = new(25);

    /// <summary>Requires that cutoffs were no later than promised.</summary>
    public static void RequireKept(Bound promise, Lateness late)
    {
        var excused = promise.SecondsOfWork * (late.Stretch - 1);
        Assert.True(late.AtMost.TotalSeconds <= promise.Seconds + excused, string.Create(
            CultureInfo.InvariantCulture,
            $"{late}; promised: {promise.Seconds} s, excused: {excused:0.0} s."));
    }
}

/// <summary>How late a cutoff may be.</summary>
/// <param name="Seconds">On a machine that has nothing else to do.</param>
/// <param name="SecondsOfWork">As much of that is work, at most.</param>
public readonly record struct Bound(int Seconds, int SecondsOfWork = 1);

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
