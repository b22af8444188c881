using System.Net.Sockets;
using Actors.Grains.Installments;
using Actors.Grains.Interfaces;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using NodaTime;

namespace Actors.Grains.Agencies;

/// <summary>
/// One agency. Owns its reminder, and asks the marker to bring it up to date when the reminder ticks, when the sweep
/// finds it late, or when somebody asks. It holds nothing that matters: the watermark in the database is the truth, and
/// the reminder is only the alarm clock. A tick that is lost, doubled, early or late is harmless.
/// </summary>
[GrainType("agency")]
[CollectionAgeLimit(Minutes = 2)]
internal sealed partial class AgencyGrain(
    IGrainContext context,
    InstallmentMarker marker,
    FailedAgencies failures,
    AgencyTransactions transactions,
    AgencyPauses pauses,
    RunUndoing undoing,
    GrainOptions options,
    [FromKeyedServices(TimeProviderNames.Grains)] TimeProvider time,
    ILogger<AgencyGrain> logger) : Grain(context), IAgencyGrain, IRemindable
{
    internal const string ReminderName = "cutoff";

    private static readonly TimeSpan ReminderPeriod = TimeSpan.FromHours(24);

    /// <summary>How far the reminder's grid of 24 hours may lie from the cutoff before it is armed anew.</summary>
    private static readonly Duration GridTolerance = Duration.FromSeconds(1);

    /// <summary>A reminder that is past when its row is written would first tick a whole period later.</summary>
    private static readonly Duration LeastPause = Duration.FromMilliseconds(10);

    /// <summary>Waves and waits for an early tick, in one call. An outage of years ends within it.</summary>
    private const int RoundsAtMost = 1_000;

    private int _runsInFlight;

    private AgencyId Id => new(this.GetPrimaryKey());

    private ICoordinatorGrain Coordinator =>
        GrainFactory.GetGrain<ICoordinatorGrain>(JobNames.UpdateInstallmentStatuses);

    public async Task<AgencyRunResult> BringUpToDateAsync(RunRequest request)
    {
        var (result, answer) = await BringUpToDateWithRetriesAsync(request);
        if (answer is { Next: { } next, MovedNextCutoff: true }) await ArmAsync(next, answer.Now);
        // A sweep may ask every agency there is, and none of them has anything to do for the rest of the day.
        if (request.Trigger == RunTrigger.CatchUp) DeactivateOnIdle();
        return result;
    }

    public Task ServeLostTickAsync() => _runsInFlight > 0
        ? Task.CompletedTask
        : BringUpToDateAsync(new RunRequest(RunTrigger.Reminder));

    public Task ReceiveReminder(string reminderName, TickStatus status) =>
        ReceiveReminder(reminderName, status, CancellationToken.None);

    public async Task ReceiveReminder(string reminderName, TickStatus status, CancellationToken cancellationToken)
    {
        var (result, answer) = await BringUpToDateWithRetriesAsync(new RunRequest(RunTrigger.Reminder));
        if (result.Outcome == AgencyRunOutcome.NotFound)
        {
            if (await this.GetReminder(ReminderName, cancellationToken) is { } orphan)
                await this.UnregisterReminder(orphan, cancellationToken);
            return;
        }

        if (answer?.Next is not { } next) return;
        // On most days the next cutoff lies on the grid, and no reminder is written.
        if (!IsOnGrid(next, status) || CameMuchTooEarly(answer, next)) await ArmAsync(next, answer.Now);
    }

    /// <summary>
    /// This silo's clock runs ahead, and by it the grid's own cutoff was there. Counted from now by the same clock it
    /// comes once more and in time; without that it would be served some seconds late.
    /// </summary>
    private static bool CameMuchTooEarly(MarkingAnswer answer, Instant next) =>
        answer.Outcome == AgencyRunOutcome.NothingUnserved
        && next - answer.Now < Duration.FromTimeSpan(ReminderPeriod) / 2;

    /// <summary>
    /// The grid is counted from the first tick. The current tick tells when it was delivered, which in a herd of
    /// ticks is late by more than the tolerance.
    /// </summary>
    private static bool IsOnGrid(Instant next, TickStatus status)
    {
        var first = Instant.FromDateTimeUtc(DateTime.SpecifyKind(status.FirstTickTime, DateTimeKind.Utc));
        var off = Duration.FromTicks((next - first).TotalTicks % status.Period.Ticks);
        return off <= GridTolerance || Duration.FromTimeSpan(status.Period) - off <= GridTolerance;
    }

    /// <summary>
    /// The pause is measured by the database's clock and counted by the silo that owns the reminder, so that a silo
    /// whose clock is wrong still wakes at the right moment. What was marked is committed whatever comes of this: an
    /// agency that cannot be armed is up to date, and its next cutoff is served without a reminder, some seconds late.
    /// </summary>
    private async Task ArmAsync(Instant next, Instant now)
    {
        var since = time.GetTimestamp();
        try
        {
            await WithRetriesAsync(() =>
            {
                var untilNext = next - now - Duration.FromTimeSpan(time.GetElapsedTime(since));
                return this.RegisterOrUpdateReminder(
                    ReminderName, Duration.Max(untilNext, LeastPause).ToTimeSpan(), ReminderPeriod);
            }, ArmingMayPass);
        }
        catch (Exception error)
        {
            LogUnarmed(Id.Value, next, error.Message);
        }
    }

    private async Task<(AgencyRunResult Result, MarkingAnswer? Last)> BringUpToDateWithRetriesAsync(RunRequest request)
    {
        _runsInFlight++;
        try
        {
            return await WaveAfterWaveAsync(request);
        }
        finally
        {
            _runsInFlight--;
        }
    }

    /// <summary>Until nothing is unserved; an early tick waits for its cutoff.</summary>
    private async Task<(AgencyRunResult Result, MarkingAnswer? Last)> WaveAfterWaveAsync(RunRequest request)
    {
        var served = new List<ServedCutoff>();
        JobId? job = null;
        var moved = false;
        for (var round = 1; ; round++)
        {
            MarkingAnswer answer;
            try
            {
                answer = await WithRetriesAsync(() => marker.BringUpToDateAsync(Id, request));
            }
            catch (Exception error)
            {
                return (await FailAsync(request, served, error), null);
            }

            served.AddRange(answer.Served);
            job = answer.Job ?? job;
            moved |= answer.MovedNextCutoff;
            if (round < RoundsAtMost && answer.More) continue;
            if (round < RoundsAtMost && request.Trigger == RunTrigger.Reminder && IsEarly(answer, out var wait))
            {
                await Task.Delay(wait, time);
                continue;
            }

            var outcome = served.Count > 0 ? AgencyRunOutcome.UpToDate : answer.Outcome;
            return (new AgencyRunResult(Id, outcome, job, served, answer.Next, null),
                answer with { MovedNextCutoff = moved });
        }
    }

    /// <summary>Tries again what failed by an error that may pass by itself; nothing of it was written.</summary>
    private async Task<T> WithRetriesAsync<T>(Func<Task<T>> attemptAsync, Func<Exception, bool>? mayPass = null)
    {
        mayPass ??= DatabaseErrors.IsTransient;
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await attemptAsync();
            }
            catch (Exception error) when (attempt < options.RetryPauses.Count && mayPass(error))
            {
                LogRetry(Id.Value, options.RetryPauses[attempt], error.Message);
                await Task.Delay(options.RetryPauses[attempt], time);
            }
        }
    }

    /// <summary>
    /// Orleans' own errors are those of the reminder's silo, which cannot be reached, starts or stops. One that does
    /// not answer has taken half a minute already, and the caller waits.
    /// </summary>
    private static bool ArmingMayPass(Exception error) =>
        error is OrleansException || (DatabaseErrors.IsTransient(error) && error is not TimeoutException);

    /// <summary>
    /// A tick that comes a little before its cutoff waits for it; one that comes much too early does not.
    /// </summary>
    private bool IsEarly(MarkingAnswer answer, out TimeSpan wait)
    {
        wait = answer.Next is { } next ? (next - answer.Now).ToTimeSpan() : TimeSpan.Zero;
        var isEarly = answer.Outcome == AgencyRunOutcome.NothingUnserved
            && wait > TimeSpan.Zero && wait <= options.EarlyTickPatience;
        // Timers count whole milliseconds: less than one would be no wait at all, and ask the database again and again.
        wait = TimeSpan.FromMilliseconds(Math.Ceiling(wait.TotalMilliseconds));
        return isEarly;
    }

    private async Task<AgencyRunResult> FailAsync(RunRequest request, List<ServedCutoff> served, Exception error)
    {
        var sentence = Sentence(error);
        AgencyRunResult Failed(JobId? job) =>
            new(Id, AgencyRunOutcome.Failed, job, served, null, sentence)
            {
                MayPass = error is OperationCanceledException || DatabaseErrors.IsTransient(error),
            };

        // The silo stops: no failure of the agency's. Its watermark stands where it stood, for the next silo's sweep.
        if (error is OperationCanceledException) return Failed(null);

        // Nor is this: set aside, it would be late when that has long passed.
        if (DatabaseErrors.IsNoFaultOfAgency(error))
        {
            LogUnserved(Id.Value, sentence);
            TellUnserved(request, sentence);
            return Failed(null);
        }

        LogFailure(Id.Value, sentence, error);
        GrainTelemetry.Failed();
        JobId? job = null;
        try
        {
            job = await failures.NoteAsync(Id, request, sentence, CancellationToken.None);
        }
        catch (Exception unwritten) when (DatabaseErrors.IsTransient(unwritten))
        {
            // The database is away. The watermark stands where it stood, and the sweep will see it there.
            LogUnwritten(Id.Value, unwritten.Message);
        }

        // Nothing says when it is tried again: the database is away, or a session holds the agency, which may be dead.
        if (job is null) TellUnserved(request, sentence);

        // A wave of catching up is closed by the sweep that sent it.
        if (job is { } open && request.Trigger != RunTrigger.CatchUp) Nudge(open);
        return Failed(job);
    }

    /// <summary>A sweep learns it from the answer, and whoever else has asked can ask again; a tick can not.</summary>
    private void TellUnserved(RunRequest request, string sentence)
    {
        if (request.Trigger == RunTrigger.Reminder) Coordinator.LeftUnservedAsync(sentence).Ignore();
    }

    /// <summary>Says to the coordinator that a run may be done.</summary>
    private void Nudge(JobId job) => Coordinator.JobMayBeDoneAsync(job).Ignore();

    /// <summary>For whoever asks and for the ledger; what names hosts and files stands in the log alone.</summary>
    private static string Sentence(Exception error) => error switch
    {
        Npgsql.PostgresException postgres => $"{postgres.MessageText} ({postgres.SqlState})",
        Npgsql.NpgsqlException or SocketException or IOException => "The database does not answer.",
        _ => error.Message,
    };

    [LoggerMessage(Level = LogLevel.Information, Message = "Agency {Agency} is tried again in {Pause}: {Error}")]
    private partial void LogRetry(Guid agency, TimeSpan pause, string error);

    [LoggerMessage(Level = LogLevel.Error, Message = "Agency {Agency} failed: {Sentence}")]
    private partial void LogFailure(Guid agency, string sentence, Exception error);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "Agency {Agency} is left to the sweep, by no fault of its own: {Sentence}")]
    private partial void LogUnserved(Guid agency, string sentence);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "Agency {Agency} is up to date, but not armed for {Next}, which is served a little late: {Error}")]
    private partial void LogUnarmed(Guid agency, Instant next, string error);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The failure of agency {Agency} could not be recorded: {Error}")]
    private partial void LogUnwritten(Guid agency, string error);
}
