using System.Net;
using System.Net.Sockets;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http;

namespace Actors.Api.Access;

/// <summary>
/// One bucket of tokens for each share: a caller's reads, a caller's changes, or an address without a caller. Buckets
/// that are full again are given up by the framework, and addresses share a fixed number of them, so that memory does
/// not grow with the number of strangers.
/// </summary>
internal sealed class RateBuckets(ApiLimits limits) : IDisposable
{
    /// <summary>A power of two. Two addresses in one bucket share their failures, seldom and harmless.</summary>
    internal const int AddressBuckets = 4_096;

    public static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    private readonly PartitionedRateLimiter<Share> buckets =
        PartitionedRateLimiter.Create<Share, Share>(share => Partition(share, limits));

    /// <summary>A limiter of requests by these buckets.</summary>
    public PartitionedRateLimiter<HttpContext> ByShare(Func<HttpContext, Share> shareOf) =>
        buckets.WithTranslatedKey(shareOf, leaveOpen: true);

    /// <summary>Whether an address has failed so often of late that its next failure is 429.</summary>
    public bool HasFailedTooOften(IPAddress? address) => buckets.GetStatistics(
        new Share(Purpose.Failure, null, BucketOf(address))) is { CurrentAvailablePermits: < 1 };

    public void Dispose() => buckets.Dispose();

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

    internal enum Purpose
    {
        Read,
        Trigger,
        Failure,
    }

    /// <summary>Whose bucket, and which of theirs.</summary>
    /// <param name="Purpose">What for.</param>
    /// <param name="Caller">Who; null where nobody is known.</param>
    /// <param name="Address">The bucket of the address where nobody is known, else 0.</param>
    internal readonly record struct Share(Purpose Purpose, string? Caller, int Address);
}
