using Xunit;

namespace Actors.Tests.Integration.Cluster;

public sealed class MembershipTableTests(ClusterDatabase database) : IClassFixture<ClusterDatabase>
{
    [Fact]
    public async Task A_new_cluster_has_version_0_and_no_silo()
    {
        await using var cluster = await database.NewClusterAsync();

        var read = await cluster.Membership.ReadAllAsync();

        Assert.Empty(read.Members);
        Assert.Equal(new TableVersion(0, "0"), read.Version);
    }

    [Fact]
    public async Task A_cluster_that_is_initialized_again_keeps_its_version()
    {
        await using var cluster = await database.NewClusterAsync();
        await cluster.Membership.InsertAsync(SomeSilo.Entry());

        await cluster.Membership.InitializeMembershipTableAsync(tryInitTableVersion: true);

        Assert.Equal(1, (await cluster.Membership.ReadAllAsync()).Version.Version);
    }

    [Fact]
    public async Task A_silo_is_read_back_as_it_was_inserted_alone_and_among_all()
    {
        await using var cluster = await database.NewClusterAsync();
        var entry = SomeSilo.Entry(SiloStatus.Created);
        entry.IAmAliveTime = entry.StartTime.AddSeconds(7);

        await cluster.Membership.InsertAsync(entry);
        await cluster.Membership.InsertAsync(SomeSilo.Entry());

        var one = await cluster.Membership.ReadRowAsync(entry.SiloAddress);
        var all = await cluster.Membership.ReadAllAsync();
        Assert.Equal(entry.ToFullString(), Assert.Single(one.Members).Item1.ToFullString());
        Assert.Equal(entry.ToFullString(), all.TryGet(entry.SiloAddress)!.Item1.ToFullString());
        Assert.Equal(2, all.Members.Count);
        Assert.Equal(new TableVersion(2, "2"), one.Version);
        Assert.Equal(new TableVersion(2, "2"), all.Version);
    }

    [Fact]
    public async Task An_insert_at_a_stale_version_is_refused_and_leaves_nothing()
    {
        await using var cluster = await database.NewClusterAsync();
        var stale = (await cluster.Membership.ReadAllAsync()).Version.Next();
        await cluster.Membership.InsertAsync(SomeSilo.Entry());

        Assert.False(await cluster.Membership.InsertRowAsync(SomeSilo.Entry(), stale));

        var read = await cluster.Membership.ReadAllAsync();
        Assert.Single(read.Members);
        Assert.Equal(1, read.Version.Version);
    }

    [Fact]
    public async Task A_silo_that_is_there_already_is_not_inserted_again_and_the_version_stays()
    {
        await using var cluster = await database.NewClusterAsync();
        var entry = await cluster.Membership.InsertAsync(SomeSilo.Entry());
        var current = (await cluster.Membership.ReadAllAsync()).Version.Next();

        Assert.False(await cluster.Membership.InsertRowAsync(entry, current));

        Assert.Equal(1, (await cluster.Membership.ReadAllAsync()).Version.Version);
    }

    [Fact]
    public async Task The_same_address_in_a_later_life_is_another_silo()
    {
        await using var cluster = await database.NewClusterAsync();
        await cluster.Membership.InsertAsync(SomeSilo.Entry());
        await cluster.Membership.InsertAsync(SomeSilo.Entry());

        Assert.Equal(2, (await cluster.Membership.ReadAllAsync()).Members.Count);
    }

    [Fact]
    public async Task An_update_changes_status_suspicions_and_heartbeat_and_raises_the_version()
    {
        await using var cluster = await database.NewClusterAsync();
        var entry = await cluster.Membership.InsertAsync(SomeSilo.Entry());
        entry.Status = SiloStatus.Active;
        entry.IAmAliveTime = entry.StartTime.AddMinutes(1);
        entry.AddSuspector(SomeSilo.Address(), entry.StartTime.AddMinutes(2));

        Assert.True(await cluster.Membership.UpdateAsync(entry));

        Assert.Equal(
            entry.ToFullString(), (await cluster.Membership.SingleAsync(entry.SiloAddress)).ToFullString());
        Assert.Equal(2, (await cluster.Membership.ReadAllAsync()).Version.Version);
    }

    [Fact]
    public async Task An_update_at_a_stale_version_is_refused_and_changes_nothing()
    {
        await using var cluster = await database.NewClusterAsync();
        var entry = await cluster.Membership.InsertAsync(SomeSilo.Entry());
        var stale = (await cluster.Membership.ReadAllAsync()).Version.Next();
        await cluster.Membership.InsertAsync(SomeSilo.Entry());
        entry.Status = SiloStatus.Dead;

        Assert.False(await cluster.Membership.UpdateRowAsync(entry, stale.VersionEtag, stale));

        Assert.Equal(SiloStatus.Joining, (await cluster.Membership.SingleAsync(entry.SiloAddress)).Status);
        Assert.Equal(2, (await cluster.Membership.ReadAllAsync()).Version.Version);
    }

    [Fact]
    public async Task An_update_of_an_absent_silo_is_refused_and_the_version_stays()
    {
        await using var cluster = await database.NewClusterAsync();

        Assert.False(await cluster.Membership.UpdateAsync(SomeSilo.Entry()));

        var read = await cluster.Membership.ReadAllAsync();
        Assert.Empty(read.Members);
        Assert.Equal(0, read.Version.Version);
    }

    [Fact]
    public async Task An_absent_silo_is_read_as_the_version_alone()
    {
        await using var cluster = await database.NewClusterAsync();
        await cluster.Membership.InsertAsync(SomeSilo.Entry());

        var read = await cluster.Membership.ReadRowAsync(SomeSilo.Address());

        Assert.Empty(read.Members);
        Assert.Equal(1, read.Version.Version);
    }

    [Fact]
    public async Task A_heartbeat_leaves_the_version_and_whoever_read_it_before_may_still_write()
    {
        await using var cluster = await database.NewClusterAsync();
        var entry = await cluster.Membership.InsertAsync(SomeSilo.Entry());
        var before = (await cluster.Membership.ReadAllAsync()).Version;
        var heartbeat = new MembershipEntry
        {
            SiloAddress = entry.SiloAddress,
            IAmAliveTime = entry.StartTime.AddSeconds(30),
        };

        await cluster.Membership.UpdateIAmAliveAsync(heartbeat);

        var after = await cluster.Membership.SingleAsync(entry.SiloAddress);
        Assert.Equal(heartbeat.IAmAliveTime, after.IAmAliveTime);
        Assert.Equal(entry.Status, after.Status);
        Assert.Equal(before, (await cluster.Membership.ReadAllAsync()).Version);
        Assert.True(await cluster.Membership.UpdateRowAsync(after, before.VersionEtag, before.Next()));
    }

    [Fact]
    public async Task A_heartbeat_of_an_absent_silo_adds_nobody()
    {
        await using var cluster = await database.NewClusterAsync();

        await cluster.Membership.UpdateIAmAliveAsync(SomeSilo.Entry());

        Assert.Empty((await cluster.Membership.ReadAllAsync()).Members);
    }

    [Fact]
    public async Task Times_come_back_to_the_microsecond()
    {
        await using var cluster = await database.NewClusterAsync();
        var entry = SomeSilo.Entry(start: SomeSilo.Start.AddTicks(1_234_567 * TimeSpan.TicksPerMicrosecond));
        entry.IAmAliveTime = entry.StartTime.AddTicks(TimeSpan.TicksPerMicrosecond);

        await cluster.Membership.InsertAsync(entry);

        var read = await cluster.Membership.SingleAsync(entry.SiloAddress);
        Assert.Equal(entry.StartTime, read.StartTime);
        Assert.Equal(entry.IAmAliveTime, read.IAmAliveTime);
        Assert.Equal(DateTimeKind.Utc, read.StartTime.Kind);
    }

    [Fact]
    public async Task A_list_of_suspicions_of_many_thousand_characters_comes_back_whole()
    {
        await using var cluster = await database.NewClusterAsync();
        var entry = await cluster.Membership.InsertAsync(SomeSilo.Entry());
        for (var i = 0; i < 400; i++)
        {
            var voter = SomeSilo.Address("2001:db8:1111:2222:3333:4444:5555:6666");
            entry.AddSuspector(voter, SomeSilo.Start.AddSeconds(i));
        }

        Assert.True(await cluster.Membership.UpdateAsync(entry));

        var read = await cluster.Membership.SingleAsync(entry.SiloAddress);
        Assert.Equal(entry.SuspectTimes, read.SuspectTimes);
        var stored = await database.ColumnAsync<int>(
            $"SELECT length(suspect_times) FROM orleans.silos WHERE cluster_id = '{cluster.ClusterId}'");
        Assert.True(Assert.Single(stored) > 10_000);
    }

    [Theory]
    [InlineData("192.168.178.254")]
    [InlineData("::1")]
    [InlineData("2001:db8:1111:2222:3333:4444:5555:6666")]
    [InlineData("::ffff:192.168.178.254")]
    [InlineData("fe80::1111:2222:3333:4444%4294967294")]
    public async Task An_address_of_either_family_comes_back(string ip)
    {
        await using var cluster = await database.NewClusterAsync();

        var entry = await cluster.Membership.InsertAsync(SomeSilo.Entry(ip: ip));

        Assert.Equal(entry.SiloAddress, (await cluster.Membership.SingleAsync(entry.SiloAddress)).SiloAddress);
    }

    [Fact]
    public async Task Gateways_are_the_active_silos_that_have_a_gateway_port()
    {
        await using var cluster = await database.NewClusterAsync();
        var active = await cluster.Membership.InsertAsync(SomeSilo.Entry(SiloStatus.Active, proxyPort: 30001));
        var activeToo = await cluster.Membership.InsertAsync(SomeSilo.Entry(SiloStatus.Active, "::1", 30002));
        await cluster.Membership.InsertAsync(SomeSilo.Entry(SiloStatus.Active, proxyPort: 0));
        await cluster.Membership.InsertAsync(SomeSilo.Entry(SiloStatus.Joining, proxyPort: 30003));
        await cluster.Membership.InsertAsync(SomeSilo.Entry(SiloStatus.Dead, proxyPort: 30004));

        var gateways = await cluster.Gateways.GetGateways();

        var expected = new[] { active, activeToo }.Select(entry => SiloAddress.New(
            entry.SiloAddress.Endpoint.Address, entry.ProxyPort, entry.SiloAddress.Generation).ToGatewayUri());
        Assert.Equal(expected.Order(UriByText), gateways.Order(UriByText));
    }

    [Fact]
    public async Task Clusters_of_150_character_ids_live_beside_each_other_and_one_is_deleted_alone()
    {
        var prefix = new string('c', 149);
        await using var first = await OrleansTables.OpenAsync(database.Orleans, prefix + "1", "service");
        await using var second = await OrleansTables.OpenAsync(database.Orleans, prefix + "2", "service");
        await first.Membership.InsertAsync(SomeSilo.Entry());
        await second.Membership.InsertAsync(SomeSilo.Entry());
        await second.Membership.InsertAsync(SomeSilo.Entry());

        Assert.Single((await first.Membership.ReadAllAsync()).Members);
        await first.Membership.DeleteMembershipTableEntriesAsync(first.ClusterId);

        Assert.Equal(2, (await second.Membership.ReadAllAsync()).Members.Count);
        await first.Membership.InitializeMembershipTableAsync(tryInitTableVersion: true);
        var anew = await first.Membership.ReadAllAsync();
        Assert.Empty(anew.Members);
        Assert.Equal(0, anew.Version.Version);
    }

    private static readonly Comparer<Uri> UriByText =
        Comparer<Uri>.Create((left, right) => string.CompareOrdinal(left.ToString(), right.ToString()));
}
