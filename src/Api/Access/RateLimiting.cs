using System.Globalization;
using System.Threading.RateLimiting;
using Actors.Api.Errors;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.DependencyInjection;
using static Actors.Api.Access.RateBuckets;

namespace Actors.Api.Access;

/// <summary>
/// How much a caller, or an address without one, is answered: so many requests a second (<see cref="RateBuckets"/>),
/// and so many of one caller at the same time.
/// </summary>
internal static class RateLimiting
{
    public static void AddRateLimits(this IServiceCollection services, ApiLimits limits)
    {
        services.AddSingleton(_ => new RateBuckets(limits));
        services.AddRateLimiter(limiter => limiter.OnRejected = async (rejected, _) =>
        {
            var wait = rejected.Lease.TryGetMetadata(MetadataName.RetryAfter, out var after) ? after : Period;
            rejected.HttpContext.Response.Headers.RetryAfter =
                Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
            await ErrorAnswers.WriteAsync(
                rejected.HttpContext, rejected.HttpContext.GetEndpoint(), ApiError.TooManyRequests);
        });
        // The turn comes before the token: whoever waits for a turn, or gets none, has not paid for it.
        services.AddOptions<RateLimiterOptions>().Configure<RateBuckets>((limiter, buckets) =>
            limiter.GlobalLimiter = PartitionedRateLimiter.CreateChained(
                PartitionedRateLimiter.Create<HttpContext, string>(context => Turns(context, limits.AtOnce)),
                buckets.ByShare(ShareOf)));
    }

    /// <summary>For what must always be answered, such as whether the process lives.</summary>
    public static TBuilder IsNeverLimited<TBuilder>(this TBuilder endpoint)
        where TBuilder : IEndpointConventionBuilder => endpoint.DisableRateLimiting();

    /// <summary>For what lasts and is counted in a way of its own: it takes no turn from its caller's others.</summary>
    public static TBuilder IsNotCountedAtOnce<TBuilder>(this TBuilder endpoint)
        where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(new NotCountedAtOnce());

    private static Share ShareOf(HttpContext context)
    {
        var address = BucketOf(context.Connection.RemoteIpAddress);
        var guards = context.GetEndpoint()?.Metadata.GetOrderedMetadata<IAuthorizeData>();
        if (guards is null) return new Share(Purpose.Failure, null, address);
        if (guards.Count == 0) return new Share(Purpose.Read, null, address);
        if (context.User.Identity is not { IsAuthenticated: true }) return new Share(Purpose.Failure, null, address);
        var isRead = guards.All(guard => guard.Policy is AccessPolicies.Read or AccessPolicies.Known);
        return new Share(isRead ? Purpose.Read : Purpose.Trigger, Caller.Of(context.User).Id, 0);
    }

    private static RateLimitPartition<string> Turns(HttpContext context, RequestsAtOnce atOnce)
    {
        if (context.User.Identity is not { IsAuthenticated: true }
            || context.GetEndpoint()?.Metadata.GetMetadata<NotCountedAtOnce>() is not null)
            return RateLimitPartition.GetNoLimiter("");
        return RateLimitPartition.GetConcurrencyLimiter(
            Caller.Of(context.User).Id,
            _ => new ConcurrencyLimiterOptions
            {
                PermitLimit = atOnce.Working,
                QueueLimit = atOnce.Waiting,
                QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
            });
    }

    private sealed record NotCountedAtOnce;
}
