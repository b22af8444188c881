using System.Net;
using Actors.Api.Access;
using Xunit;

namespace Actors.Tests.Unit.Api;

public sealed class RateBucketsTests
{
    [Fact]
    public void However_many_strangers_come_their_buckets_are_bounded()
    {
        var buckets = Enumerable.Range(0, 100_000)
            .Select(number => RateBuckets.BucketOf(new IPAddress(BitConverter.GetBytes(number))))
            .ToHashSet();

        Assert.InRange(buckets.Count, RateBuckets.AddressBuckets / 2, RateBuckets.AddressBuckets);
        Assert.All(buckets, bucket => Assert.InRange(bucket, 0, RateBuckets.AddressBuckets - 1));
    }

    [Theory]
    [InlineData("192.0.2.7", "::ffff:192.0.2.7")]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff")]
    public void One_customer_has_one_bucket(string one, string other) =>
        Assert.Equal(RateBuckets.BucketOf(IPAddress.Parse(one)), RateBuckets.BucketOf(IPAddress.Parse(other)));

    [Fact]
    public void A_connection_without_an_address_has_one_too() => Assert.Equal(0, RateBuckets.BucketOf(null));
}
