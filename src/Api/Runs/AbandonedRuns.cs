using Actors.Api.Access;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Actors.Api.Runs;

/// <summary>
/// Carries out what other processes have promised (202) and did not bring to an end, because they were killed or told
/// to stop: their leases are over, and nobody who asked has to ask again. A run that has written something goes on
/// under its id, and marks nothing twice.
/// </summary>
internal sealed partial class AbandonedRuns(
    RunRequestStore store, RunsInFlight inFlight, RunWork work, RunLimits limits, TimeProvider time,
    ILogger<AbandonedRuns> logger) : BackgroundService
{
    /// <summary>How many are taken over in one look: after a crash there may be many, and others look too.</summary>
    private const int AtOnce = 20;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(limits.ResumeEvery, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                if (inFlight.HasRoom) await ResumeAsync(stoppingToken);
            }
            catch (NpgsqlException error)
            {
                LogNotFound(error.Message);
            }
        }
    }

    private async Task ResumeAsync(CancellationToken cancellationToken)
    {
        foreach (var run in await store.TakeOverAbandonedAsync(limits.Lease, AtOnce, cancellationToken))
        {
            LogResumed(run.Ticket.Id, run.RequestedBy, run.Ticket.Attempt);
            var order = new RunOrder(
                new Caller(run.CallerId, run.RequestedBy, CallerRole.Trigger, "{}"), null, [], run.Reason,
                run.Ticket.Id.ToString("N"))
            {
                Agency = run.Agency,
            };
            _ = inFlight.Begin(
                run.Ticket,
                () => run.Agency is { } agency
                    ? work.RunOneAsync(order, run.Ticket, agency)
                    : work.RunManyAsync(order, run.Ticket),
                order.TraceId);
        }
    }

    [LoggerMessage(Level = LogLevel.Information,
        Message = "The run {Job} that {RequestedBy} asked for was left by its process; it goes on, attempt {Attempt}")]
    private partial void LogResumed(Guid job, string requestedBy, int attempt);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The database was not asked for abandoned runs: {Error}")]
    private partial void LogNotFound(string error);
}

/// <summary>A request that was taken over from a process that is gone.</summary>
/// <param name="Ticket">The right to carry it out.</param>
/// <param name="CallerId">Who asked.</param>
/// <param name="RequestedBy">The name under which the run is recorded.</param>
/// <param name="Reason">Why; null where none was given.</param>
/// <param name="Agency">The one agency of the address; null for all, or for those of the ticket.</param>
internal sealed record AbandonedRun(
    RunTicket Ticket, string CallerId, string RequestedBy, string? Reason, Guid? Agency);
