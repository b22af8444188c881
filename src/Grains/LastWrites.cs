using System.Diagnostics;

namespace Actors.Grains;

/// <summary>
/// Whether what this silo wrote last, a batch of the marker or a sweep, was committed. A database can answer every
/// question and take nothing: when its disk is full, or its silo's rights are gone. Only who writes can tell.
/// </summary>
public sealed class LastWrites
{
    private volatile Failure? _failure;

    /// <summary>
    /// Why the last one was not committed, and how long ago that was; null when it was, or when the fault was an
    /// agency's.
    /// </summary>
    public (Exception Error, TimeSpan Ago)? Failed =>
        _failure is { } failure ? (failure.Error, Stopwatch.GetElapsedTime(failure.At)) : null;

    internal void NoteCommitted() => _failure = null;

    internal void NoteFailed(Exception error)
    {
        if (DatabaseErrors.IsOutage(error)) _failure = new Failure(error, Stopwatch.GetTimestamp());
    }

    /// <param name="At">By the monotonic clock.</param>
    private sealed record Failure(Exception Error, long At);
}
