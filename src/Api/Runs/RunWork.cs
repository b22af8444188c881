using System.Text.Json;
using Actors.Grains.Interfaces;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.Extensions.Options;

namespace Actors.Api.Runs;

/// <summary>The runs themselves: asks the grains, and words what they answer.</summary>
internal sealed class RunWork(IGrainFactory grains, RunReading reading, IOptions<JsonOptions> json)
{
    private JsonSerializerOptions Json => json.Value.SerializerOptions;

    /// <summary>
    /// Brings one agency up to date. Where an earlier attempt came to its commit, and only its answer was lost, the
    /// ledger has what is to be said, and what a second one finds to mark is none of it.
    /// </summary>
    public async Task<KeptAnswer> RunOneAsync(RunOrder order, RunTicket ticket, Guid agency)
    {
        var earlier = ticket.Attempt > 1 ? await reading.LedgerOfAsync(ticket.Id, agency) : null;
        var result = earlier ?? await grains.GetGrain<IAgencyGrain>(agency).BringUpToDateAsync(
            new RunRequest(RunTrigger.Api, new JobId(ticket.Id), order.Caller.Name, order.Reason));
        // The earlier attempt may have been at it still, and this one have waited for it.
        if (ticket.Attempt > 1 && earlier is null && result.Job?.Value != ticket.Id)
            result = await reading.LedgerOfAsync(ticket.Id, agency) ?? result;
        return KeptAnswer.Of(AgencyRunAnswer.Decide(result), order.TraceId, Json);
    }

    /// <summary>
    /// Brings the selected agencies up to date, or all of them. Asked for one job again, the coordinator goes on where
    /// the first attempt stopped, or answers what the ledger says.
    /// </summary>
    public async Task<KeptAnswer> RunManyAsync(RunOrder order, RunTicket ticket)
    {
        var coordinator = grains.GetGrain<ICoordinatorGrain>(JobNames.UpdateInstallmentStatuses);
        var result = await coordinator.RunAllAsync(new RunAllRequest(
            new JobId(ticket.Id), order.Caller.Name, order.Reason,
            ticket.Agencies is null ? null : [.. ticket.Agencies.Select(agency => new AgencyId(agency))]));
        return KeptAnswer.Of(ManyRunAnswer.From(result, ticket.Agencies?.Length), Json);
    }
}
