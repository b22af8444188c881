using Microsoft.Extensions.Logging;
using NodaTime;

namespace Actors.Grains.Jobs;

/// <summary>When a sweep comes sooner than its period, and takes up what is not yet late.</summary>
internal sealed partial class CoordinatorGrain
{
    /// <summary>A sweep that could not reach the database comes again after this, and not a period later.</summary>
    private static readonly TimeSpan SoonAgain = TimeSpan.FromSeconds(2);

    /// <summary>Long enough for many agencies to answer, and short enough for one that has changed meanwhile.</summary>
    private static readonly TimeSpan VerySoonAgain = TimeSpan.FromMilliseconds(250);

    /// <summary>Where ticks may have been lost; those that were not are being served.</summary>
    private static readonly Duration LateAfterTrouble = Duration.FromSeconds(2);

    private TimeSpan? _comesAgainAfter;
    private bool _ticksMayBeLost;

    public Task LeftUnservedAsync(string error)
    {
        NoteUnserved(error);
        return Task.CompletedTask;
    }

    private void SweepSoonAgain(Exception error)
    {
        // Another silo's coordinator sweeps when it starts.
        if (_stop.IsCancellationRequested) return;
        LogSweepFailed(error.Message);
        SweepSoonAfterTrouble();
    }

    /// <summary>An agency could not be served by what may have passed in a moment: once for all such.</summary>
    private void NoteUnserved(string error)
    {
        if (SweepSoonAfterTrouble()) LogUnserved(SoonAgain, error);
    }

    private bool SweepSoonAfterTrouble()
    {
        _ticksMayBeLost = true;
        return SweepAgain(SoonAgain);
    }

    /// <summary>An agency that a sweep has left out may have changed after it was asked: once for all such.</summary>
    private void SweepVerySoon() => SweepAgain(VerySoonAgain);

    /// <summary>Has the timer come sooner, unless it is to come as soon already.</summary>
    private bool SweepAgain(TimeSpan after)
    {
        if (_comesAgainAfter <= after || _stop.IsCancellationRequested) return false;
        _comesAgainAfter = after;
        _sweeping?.Change(after, options.SweepPeriod);
        return true;
    }

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "Not every agency could be served; the sweep comes again in {Pause}. One of them: {Error}")]
    private partial void LogUnserved(TimeSpan pause, string error);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "The sweep did not come to its end and comes again: {Error}")]
    private partial void LogSweepFailed(string error);
}
