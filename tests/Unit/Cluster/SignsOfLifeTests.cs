using System.Net;
using Actors.Silo.Cluster;
using Xunit;

namespace Actors.Tests.Unit.Cluster;

/// <summary>Whom the others take for cut off from the database; seconds count from the first look.</summary>
public sealed class SignsOfLifeTests
{
    private static readonly SiloAddress Own = Silo(1);
    private static readonly SiloAddress Other = Silo(2);
    private static readonly SiloAddress Third = Silo(3);

    private SignsOfLife seen = SignsOfLife.NothingSeen(Own);

    [Fact]
    public void Who_goes_on_giving_signs_is_not_silent()
    {
        for (var second = 0; second <= 120; second += 2) Assert.Empty(Look(second, second / 5, second / 5));
    }

    [Fact]
    public void Whose_sign_stands_still_is_silent_after_as_long_as_a_lost_statement_takes_and_stays_so()
    {
        for (var second = 0; second < 18; second += 2) Assert.Empty(Look(second, second / 5, 0, second / 5));

        Look(18, 3, 0, 3);
        Assert.Equal([(Other, TimeSpan.FromSeconds(18))], seen.Silent);
        Look(20, 4, 0, 4);
        Assert.Equal([(Other, TimeSpan.FromSeconds(20))], seen.Silent);
    }

    [Fact]
    public void A_sign_that_was_late_counts_anew()
    {
        for (var second = 0; second < 18; second += 2) Assert.Empty(Look(second, second / 5, 0));
        for (var second = 18; second < 36; second += 2) Assert.Empty(Look(second, second / 5, 1));
        Assert.Equal([Other], Look(36, 7, 1));
    }

    [Fact]
    public void A_sign_that_goes_back_has_moved()
    {
        for (var second = 0; second <= 60; second += 2) Assert.Empty(Look(second, second / 5, -second / 5));
    }

    [Fact]
    public void After_a_look_that_failed_all_is_counted_anew()
    {
        for (var second = 0; second < 18; second += 2) Look(second, second / 5, 0);
        seen = SignsOfLife.NothingSeen(Own);
        for (var second = 20; second < 38; second += 2) Assert.Empty(Look(second, second / 5, 0));
        Assert.Equal([Other], Look(38, 7, 0));
    }

    [Fact]
    public void Where_our_own_sign_stands_still_as_well_nobody_is_silent_and_then_all_is_counted_anew()
    {
        // Ours came just before the table could not be written any more, the other's as long before as can be.
        Look(-5, -1, 0);
        for (var second = -3; second < 60; second += 2) Assert.Empty(Look(second, 0, 0));
        for (var second = 61; second < 77; second += 2) Assert.Empty(Look(second, second / 5, 0));
        Assert.Equal([Other], Look(77, 15, 0));
    }

    [Fact]
    public void The_time_that_a_look_took_is_not_counted()
    {
        seen = seen.Look(Seconds(0), Seconds(9), Signs(0, 0));
        seen = seen.Look(Seconds(11), Seconds(12), Signs(1, 0));
        seen = seen.Look(Seconds(17), Seconds(18), Signs(2, 0));
        seen = seen.Look(Seconds(26), Seconds(27), Signs(3, 0));
        Assert.Empty(seen.Silent);
        seen = seen.Look(Seconds(27), Seconds(30), Signs(4, 0));
        Assert.Equal([(Other, TimeSpan.FromSeconds(18))], seen.Silent);
    }

    [Fact]
    public void A_silo_that_has_come_anew_at_the_same_place_is_another()
    {
        for (var second = 0; second < 18; second += 2) Look(second, second / 5, 0);
        var anew = SiloAddress.New(Other.Endpoint, Other.Generation + 1);
        seen = seen.Look(Seconds(18), Seconds(18), new Dictionary<SiloAddress, DateTime>
        {
            [Own] = Sign(3),
            [anew] = Sign(0),
        });
        Assert.Empty(seen.Silent);
    }

    [Fact]
    public void Who_is_not_among_the_active_any_more_finds_nobody_silent()
    {
        for (var second = 0; second < 60; second += 2)
        {
            seen = seen.Look(Seconds(second), Seconds(second), new Dictionary<SiloAddress, DateTime>
            {
                [Other] = Sign(0),
            });
            Assert.Empty(seen.Silent);
        }
    }

    [Fact]
    public void Several_may_be_silent()
    {
        for (var second = 0; second < 18; second += 2) Look(second, second / 5, 0, 0);
        Assert.Equal([Other, Third], Look(18, 3, 0, 0));
    }

    /// <summary>The signs as numbers: own, the other's and the third's.</summary>
    private IEnumerable<SiloAddress> Look(int second, params int[] signs)
    {
        seen = seen.Look(Seconds(second), Seconds(second), Signs(signs));
        return seen.Silent.Select(silent => silent.Silo);
    }

    private static Dictionary<SiloAddress, DateTime> Signs(params int[] signs) =>
        new[] { Own, Other, Third }.Zip(signs).ToDictionary(pair => pair.First, pair => Sign(pair.Second));

    private static DateTime Sign(int number) => DateTime.UnixEpoch.AddSeconds(number);

    private static TimeSpan Seconds(int seconds) => TimeSpan.FromSeconds(seconds);

    private static SiloAddress Silo(int number) => SiloAddress.New(new IPEndPoint(IPAddress.Loopback, number), 7);
}
