using System.Globalization;
using Actors.Api.Errors;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Actors.Api.Runs;

/// <summary>
/// Takes requests for runs. A request with an Idempotency-Key that was used before is answered as before, waits for
/// whoever is at it, or is carried out where nobody is any more; any other begins a run. Who is first with a key is
/// decided by the database, so it does not matter which process a retry reaches.
/// </summary>
internal sealed class RunDesk(
    RunRequestStore store, RunsInFlight inFlight, RunReading reading, RunLimits limits, TimeProvider time)
{
    /// <summary>How long to wait before looking again for another process's answer; doubles each time.</summary>
    private static readonly TimeSpan FirstLook = TimeSpan.FromMilliseconds(25);

    /// <summary>Answers a request: with the run's own answer where it comes in time, else 202.</summary>
    /// <param name="context">The request.</param>
    /// <param name="order">What it asks for.</param>
    /// <param name="select">Which agencies; asked only where this request is a new one.</param>
    /// <param name="run">Carries out the run.</param>
    public async Task<IResult> TakeAsync(
        HttpContext context,
        RunOrder order,
        Func<Task<RunSelection>> select,
        Func<RunTicket, Task<KeptAnswer>> run)
    {
        var began = time.GetTimestamp();
        for (var look = FirstLook; ; look *= 2)
        {
            RunTicket? ticket;
            var earlier = order.Key is { } key
                ? await store.FindAsync(order.Caller.Id, key, context.RequestAborted)
                : null;
            switch (earlier?.Decide(order.Fingerprint))
            {
                case EarlierRun.IsAnother:
                    return KeyReused.ToProblem();
                case EarlierRun.IsAnswered:
                    return earlier!.Answer! with { IsReplayed = true };
                case EarlierRun.IsUnderWay:
                    if (Left(began) <= TimeSpan.Zero) return await GoesOnAsync(context, order, earlier!.Id);
                    await Task.Delay(look < Left(began) ? look : Left(began), time, context.RequestAborted);
                    continue;
                case EarlierRun.IsOpen when inFlight.HasRoom:
                    ticket = await store.TakeOverAsync(earlier!.Id, limits.Lease);
                    break;
                case null when inFlight.HasRoom:
                    var (agencies, refusal) = await select();
                    if (refusal is not null) return refusal;
                    ticket = await store.AddAsync(order, agencies, limits.Lease);
                    break;
                default:
                    return TooManyRuns(context);
            }

            // Without a ticket somebody else was faster with this key: look again.
            if (ticket is not null) return await CarryOutAsync(context, order, ticket, run, began);
        }
    }

    private async Task<IResult> CarryOutAsync(
        HttpContext context, RunOrder order, RunTicket ticket, Func<RunTicket, Task<KeptAnswer>> run, long began)
    {
        var answer = inFlight.Begin(ticket, () => run(ticket), order.TraceId);
        var left = Left(began);
        if (left > TimeSpan.Zero)
        {
            await ((Task)answer).WaitAsync(left, time, context.RequestAborted)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            context.RequestAborted.ThrowIfCancellationRequested();
        }

        return answer is { IsCompletedSuccessfully: true, Result: { } known }
            ? known
            : await GoesOnAsync(context, order, ticket.Id);
    }

    /// <summary>202, with what is known, and where the rest will be found.</summary>
    private async Task<IResult> GoesOnAsync(HttpContext context, RunOrder order, Guid run)
    {
        var known = await reading.FindAsync(order.Caller, run, context.RequestAborted);
        AskAgainSoon(context);
        return TypedResults.Accepted($"/api/runs/{run}", known);
    }

    private TimeSpan Left(long began) => limits.AnswerWithin - time.GetElapsedTime(began);

    private static ProblemHttpResult TooManyRuns(HttpContext context)
    {
        AskAgainSoon(context);
        return new ApiError(
            503, "too-many-runs", "Too many runs",
            "This process is at as many runs as it takes at once. Nothing was begun; try again in a moment.")
            .ToProblem();
    }

    private static void AskAgainSoon(HttpContext context) => context.Response.Headers.RetryAfter =
        RunLimits.RetryAfterSeconds.ToString(CultureInfo.InvariantCulture);

    private static readonly ApiError KeyReused = new(
        422, "idempotency-key-reused", "Idempotency-Key reused",
        $"This {IdempotencyKey.HeaderName} was used for another request. Nothing was done; use a key of its own for "
        + "each run that you ask for.");
}
