using System.Collections.Concurrent;
using System.Text.Json;
using Actors.Api.Errors;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Actors.Api.Runs;

/// <summary>
/// The runs that this process is at, which go on whether or not anybody waits for their answers. While it is at one it
/// says so, so that no other process takes it over; when it stops it lets go of all, and the silos go on by themselves.
/// A process that is killed lets go by saying nothing any more.
/// </summary>
internal sealed partial class RunsInFlight(
    RunRequestStore store, RunLimits limits, IOptions<JsonOptions> json, TimeProvider time,
    ILogger<RunsInFlight> logger) : BackgroundService
{
    /// <summary>The pauses before an answer is tried to be written again.</summary>
    private static readonly TimeSpan[] WritePauses =
        [TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(4)];

    private readonly ConcurrentDictionary<RunTicket, Task> _runs = new();

    // Not disposed of: a run that outlives the host's patience still asks it.
    private readonly CancellationTokenSource _stopping = new();

    private JsonSerializerOptions Json => json.Value.SerializerOptions;

    /// <summary>Whether another run may be begun.</summary>
    public bool HasRoom => _runs.Count < limits.MostInFlight;

    /// <summary>Begins a run, which outlives its request.</summary>
    /// <param name="ticket">The right to carry it out, which ends with it.</param>
    /// <param name="run">The run itself: asks the grains, and words the answer.</param>
    /// <param name="traceId">Of the request, for its errors.</param>
    /// <returns>
    /// The answer, once it is kept or known to be an error of the moment; null where this process does not know it.
    /// Never faults.
    /// </returns>
    public Task<KeptAnswer?> Begin(RunTicket ticket, Func<Task<KeptAnswer>> run, string traceId)
    {
        var task = RunAsync(ticket, run, traceId);
        _runs[ticket] = task;
        // Whichever comes first, the entry or the end: the entry goes with the end.
        _ = task.ContinueWith(
            (_, state) => _runs.TryRemove((RunTicket)state!, out Task? _), ticket, CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return task;
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        await Task.WhenAll(_runs.Values).WaitAsync(cancellationToken)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await base.StopAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(limits.ProlongEvery, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                if (!_runs.IsEmpty) await store.ProlongAsync([.. _runs.Keys], limits.Lease, stoppingToken);
            }
            catch (NpgsqlException error)
            {
                // The next word is as good. Should the leases end before it, a retry may come to be a second process at
                // a run, which the grains put one after the other.
                LogNotProlonged(_runs.Count, error.Message);
            }
        }
    }

    private async Task<KeptAnswer?> RunAsync(RunTicket ticket, Func<Task<KeptAnswer>> run, string traceId)
    {
        var answer = await AnswerOfAsync(ticket, run, traceId);
        try
        {
            if (answer is { IsOfTheMoment: false })
                return await WriteAsync(() => store.CompleteAsync(ticket, answer)) ? answer : null;
            await WriteAsync(() => store.ReleaseAsync(ticket, answer));
            return answer;
        }
        catch (NpgsqlException error)
        {
            // The lease runs out by itself, and what became of the run stands in jobs_log.
            LogNotKept(ticket.Id, error.Message);
            return null;
        }
    }

    /// <summary>Null where the run may be going on without this process.</summary>
    private async Task<KeptAnswer?> AnswerOfAsync(RunTicket ticket, Func<Task<KeptAnswer>> run, string traceId)
    {
        try
        {
            return await run().WaitAsync(_stopping.Token);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            return null;
        }
        catch (TimeoutException)
        {
            // Orleans gave up waiting; the grain did not give up working.
            LogGoesOn(ticket.Id);
            return null;
        }
        catch (Exception failure)
        {
            var error = ExceptionErrors.Decide(failure);
            if (error == ApiError.Unexpected) LogUnexpected(ticket.Id, failure);
            return KeptAnswer.Of(error.ToProblem(), traceId, Json);
        }
    }

    private async Task<bool> WriteAsync(Func<Task<bool>> write)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await write();
            }
            catch (NpgsqlException error) when (error.IsTransient && attempt < WritePauses.Length)
            {
                await Task.Delay(WritePauses[attempt], time, _stopping.Token)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "The database could not be told of the {Runs} runs that are in flight here: {Error}")]
    private partial void LogNotProlonged(int runs, string error);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "The run {Job} takes longer than its silo was given to answer; jobs_log will say how it ends")]
    private partial void LogGoesOn(Guid job);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The answer of the run {Job} could not be kept: {Error}")]
    private partial void LogNotKept(Guid job, string error);

    [LoggerMessage(Level = LogLevel.Error, Message = "The run {Job} ended unexpectedly")]
    private partial void LogUnexpected(Guid job, Exception failure);
}
