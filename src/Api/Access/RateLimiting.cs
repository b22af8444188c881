using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Threading.RateLimiting;
using Actors.Api.Errors;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Actors.Api.Access;

/// <summary>
/// One bucket of tokens for each share: a caller's reads, a caller's changes, or an address without a caller. Buckets
/// that are full again are given up by the framework, and addresses share a fixed number of them, so that memory does
/// not grow with the number of strangers.
/// </summary>
internal static class RateLimiting
{
    /// <summary>A power of two. Two addresses in one bucket share their failures, seldom and harmless.</summary>
    internal const int AddressBuckets = 4_096;

    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    public static void AddRateLimits(this IServiceCollection services, ApiLimits limits) =>
        services.AddRateLimiter(limiter =>
        {
            limiter.GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, Share>(
                context => Partition(ShareOf(context), limits));
            limiter.OnRejected = async (rejected, _) =>
            {
                var wait = rejected.Lease.TryGetMetadata(MetadataName.RetryAfter, out var after) ? after : Period;
                rejected.HttpContext.Response.Headers.RetryAfter =
                    Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
                await ErrorAnswers.WriteAsync(
                    rejected.HttpContext, rejected.HttpContext.GetEndpoint(), ApiError.TooManyRequests);
            };
        });

    /// <summary>For what must always be answered, such as whether the process lives.</summary>
    public static TBuilder IsNeverLimited<TBuilder>(this TBuilder endpoint)
        where TBuilder : IEndpointConventionBuilder => endpoint.DisableRateLimiting();

    /// <summary>
    /// The bucket of an address: all of an IPv6 customer's 64 bits are one, an IPv4 address in IPv6 clothes is itself.
    /// Which addresses share a bucket differs from one start of the process to the next.
    /// </summary>
    internal static int BucketOf(IPAddress? address)
    {
        if (address is null) return 0;
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        var bytes = address.GetAddressBytes().AsSpan();
        var hash = new HashCode();
        hash.AddBytes(address.AddressFamily == AddressFamily.InterNetworkV6 ? bytes[..8] : bytes);
        return hash.ToHashCode() & (AddressBuckets - 1);
    }

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

    private static RateLimitPartition<Share> Partition(Share share, ApiLimits limits)
    {
        var rate = share.Purpose switch
        {
            Purpose.Read => limits.Reads,
            Purpose.Trigger => limits.Triggers,
            _ => limits.Failures,
        };
        return RateLimitPartition.GetTokenBucketLimiter(share, _ => new TokenBucketRateLimiterOptions
        {
            TokenLimit = rate.Burst,
            TokensPerPeriod = rate.PerSecond,
            ReplenishmentPeriod = Period,
            QueueLimit = 0,
        });
    }

    private enum Purpose
    {
        Read,
        Trigger,
        Failure,
    }

    /// <summary>Whose bucket, and which of theirs.</summary>
    /// <param name="Purpose">What for.</param>
    /// <param name="Caller">Who; null where nobody is known.</param>
    /// <param name="Address">The bucket of the address where nobody is known, else 0.</param>
    private readonly record struct Share(Purpose Purpose, string? Caller, int Address);
}
