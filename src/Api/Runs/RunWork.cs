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
    /// Brings one agency up to date. Where an earlier attempt did not come to its answer, the ledger has what the run
    /// marked, by whichever attempt: all of it once the run is closed, and otherwise once the grain, which takes one
    /// attempt after the other, is done with this one too.
    /// </summary>
    public async Task<KeptAnswer> RunOneAsync(RunOrder order, RunTicket ticket, Guid agency)
    {
        var isRetry = ticket.Attempt > 1;
        var result = isRetry ? await reading.LedgerOfAsync(ticket.Id, agency, onlyIfClosed: true) : null;
        if (result is null)
        {
            result = await grains.GetGrain<IAgencyGrain>(agency).BringUpToDateAsync(
                new RunRequest(RunTrigger.Api, new JobId(ticket.Id), order.Caller.Name, order.Reason));
            if (isRetry) result = await reading.LedgerOfAsync(ticket.Id, agency, onlyIfClosed: false) ?? result;
        }

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
