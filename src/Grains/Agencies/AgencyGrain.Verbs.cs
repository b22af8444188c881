using Actors.Grains.Cutoffs;
using Actors.Grains.Interfaces;
using Microsoft.Extensions.Logging;
using NodaTime;
using Npgsql;

namespace Actors.Grains.Agencies;

/// <summary>
/// What people ask of an agency beside runs. All but looking ahead takes its turn with the runs of the agency, so that
/// none of it meets one half done; what another silo might do meanwhile the lock on the watermark keeps out.
/// </summary>
internal sealed partial class AgencyGrain
{
    public async Task<CutoffOutlook?> LookAheadAsync(Instant? at, int cutoffs)
    {
        var (state, now) = await transactions.PeekAsync(Id, CancellationToken.None);
        return state is null ? null : Outlook.Decide(state, at ?? now, cutoffs);
    }

    public async Task<PauseOutcome> PauseAsync(string by, string reason)
    {
        try
        {
            return await WithRetriesAsync(() => pauses.PauseAsync(Id, by, reason, CancellationToken.None));
        }
        catch (AgencyIsBusyException)
        {
            return PauseOutcome.Busy;
        }
    }

    public Task<ResumeResult> ResumeAsync(string by, string reason, ResumeMode mode) => mode switch
    {
        ResumeMode.CatchUp => ResumeCatchingUpAsync(by, reason),
        ResumeMode.Skip => ResumeSkippingAsync(by, reason),
        _ => throw new ArgumentOutOfRangeException(nameof(mode), mode, "a resume catches up or skips"),
    };

    public async Task<UndoResult> UndoRunAsync(Guid agencyRun, string by, string reason)
    {
        try
        {
            return await WithRetriesAsync(() => undoing.UndoAsync(Id, agencyRun, by, reason, CancellationToken.None));
        }
        catch (AgencyIsBusyException busy)
        {
            var held = busy is InstallmentsAreLockedException { Installments: var locked } ? locked : [];
            return new UndoResult(
                agencyRun, UndoOutcome.Busy, 0,
                [.. held.Select(id => new LeftOutInstallment(id, LeftOutReason.Locked))], held.Count, null, null);
        }
        catch (PostgresException refused) when (!DatabaseErrors.IsTransient(refused))
        {
            LogNotUndone(agencyRun, Id.Value, refused);
            return new UndoResult(agencyRun, UndoOutcome.Failed, 0, [], 0, null, Sentence(refused));
        }
    }

    /// <summary>
    /// First ends the pause, then serves what has passed, on the ordinary path. Where it stops between the two the
    /// agency is one whose next cutoff is unknown, and the sweep serves it.
    /// </summary>
    private async Task<ResumeResult> ResumeCatchingUpAsync(string by, string reason)
    {
        ResumeOutcome outcome;
        try
        {
            outcome = await WithRetriesAsync(() => pauses.ClearAsync(Id, by, reason, CancellationToken.None));
        }
        catch (AgencyIsBusyException)
        {
            outcome = ResumeOutcome.Busy;
        }

        if (outcome != ResumeOutcome.Resumed) return new ResumeResult(Id, outcome, null, [], [], null, null);

        var asked = new JobId(Guid.NewGuid());
        var (result, answer) = await BringUpToDateWithRetriesAsync(
            new RunRequest(RunTrigger.CatchUp, asked, by, reason));
        // Rows of catching up are closed by the sweep that sent them, and it learns who is left; no sweep has sent this
        // one, and whoever asked cannot resume once more.
        Nudge(result.Job ?? asked);
        if (result is { Outcome: AgencyRunOutcome.Failed, Job: null, Error: { } error })
            Coordinator.LeftUnservedAsync(error).Ignore();
        if (answer?.Next is { } next) await ArmAsync(next, answer.Now);
        outcome = result.Outcome switch
        {
            AgencyRunOutcome.Failed => ResumeOutcome.CatchUpFailed,
            AgencyRunOutcome.NotFound => ResumeOutcome.NotFound,
            _ => ResumeOutcome.Resumed,
        };
        return new ResumeResult(Id, outcome, result.Job, result.Served, [], result.Next, result.Error);
    }

    /// <summary>
    /// Skips wave after wave; the last one ends the pause in its own transaction. Where it stops before that the agency
    /// is still paused, and whoever resumes it again goes on from the watermark.
    /// </summary>
    private async Task<ResumeResult> ResumeSkippingAsync(string by, string reason)
    {
        var skipped = new List<ServedCutoff>();
        var job = new JobId(Guid.NewGuid());
        for (var round = 1; ; round++)
        {
            SkippedWave wave;
            try
            {
                wave = await WithRetriesAsync(
                    () => pauses.SkipWaveAsync(Id, job, by, reason, CancellationToken.None));
            }
            catch (Exception error)
            {
                if (skipped.Count > 0) Nudge(job);
                if (error is AgencyIsBusyException) return Ended(ResumeOutcome.Busy);
                if (DatabaseErrors.IsOutage(error)) throw;
                LogNotSkipped(Id.Value, error);
                return Ended(ResumeOutcome.SkipFailed, Sentence(error));
            }

            skipped.AddRange(wave.Skipped);
            job = wave.Job ?? job;
            if (wave.More && round < RoundsAtMost) continue;

            if (skipped.Count > 0) Nudge(job);
            if (wave.More) return Ended(ResumeOutcome.SkipFailed, "More dates are unserved than one request skips.");
            if (wave.Next is { } next) await ArmAsync(next, wave.Now);
            // Somebody else may have ended the pause between two waves.
            var outcome = skipped.Count > 0 && wave.Outcome == ResumeOutcome.NotPaused
                ? ResumeOutcome.Resumed
                : wave.Outcome;
            return Ended(outcome) with { Next = wave.Next };
        }

        ResumeResult Ended(ResumeOutcome outcome, string? error = null) => new(
            Id, outcome, skipped.Count > 0 ? job : null, [], skipped, null, error);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The dates of agency {Agency} could not be skipped")]
    private partial void LogNotSkipped(Guid agency, Exception error);

    [LoggerMessage(Level = LogLevel.Error, Message = "The run {Run} of agency {Agency} could not be undone")]
    private partial void LogNotUndone(Guid run, Guid agency, Exception error);
}
