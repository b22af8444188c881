using NpgsqlTypes;
using Xunit;

namespace Actors.Tests.Integration.Cluster;

public sealed class MembershipCleanupTests(ClusterDatabase database) : IClassFixture<ClusterDatabase>
{
    private static readonly DateTime Cutoff = SomeSilo.Start.AddDays(-3);
    private static readonly DateTime Old = SomeSilo.Start.AddDays(-10);

    [Fact]
    public async Task Dead_and_old_silos_go_and_the_version_stays()
    {
        await using var cluster = await database.NewClusterAsync();
        foreach (var status in Enum.GetValues<SiloStatus>())
            await cluster.Membership.InsertAsync(SomeSilo.Entry(status, start: Old));
        await cluster.Membership.InsertAsync(SomeSilo.Entry(SiloStatus.Dead));
        var before = await cluster.Membership.ReadAllAsync();

        await cluster.Membership.CleanupDefunctSiloEntriesAsync(Cutoff);

        var after = await cluster.Membership.ReadAllAsync();
        Assert.Equal(before.Version, after.Version);
        Assert.Equal(before.Members.Count - 1, after.Members.Count);
        Assert.DoesNotContain(after.Members, row => row.Item1.Status is SiloStatus.Dead && row.Item1.StartTime == Old);
    }

    [Fact]
    public async Task A_dead_silo_goes_with_the_votes_that_killed_it_and_with_times_to_the_microsecond()
    {
        await using var cluster = await database.NewClusterAsync();
        var entry = await cluster.Membership.InsertAsync(
            SomeSilo.Entry(SiloStatus.Active, start: Old.AddTicks(TimeSpan.TicksPerMicrosecond)));
        entry.Status = SiloStatus.Dead;
        entry.AddSuspector(SomeSilo.Address("::1"), Old.AddMilliseconds(1));
        entry.AddSuspector(SomeSilo.Address(), Old.AddMilliseconds(2));
        Assert.True(await cluster.Membership.UpdateAsync(entry));

        await cluster.Membership.CleanupDefunctSiloEntriesAsync(Cutoff);

        Assert.Empty((await cluster.Membership.ReadAllAsync()).Members);
    }

    [Fact]
    public async Task A_dead_silo_whose_list_of_votes_was_emptied_goes_too()
    {
        await using var cluster = await database.NewClusterAsync();
        var entry = await cluster.Membership.InsertAsync(SomeSilo.Entry(SiloStatus.Active, start: Old));
        entry.Status = SiloStatus.Dead;
        entry.SuspectTimes = [];
        Assert.True(await cluster.Membership.UpdateAsync(entry));
        Assert.Null((await cluster.Membership.SingleAsync(entry.SiloAddress)).SuspectTimes);

        await cluster.Membership.CleanupDefunctSiloEntriesAsync(Cutoff);

        Assert.Empty((await cluster.Membership.ReadAllAsync()).Members);
    }

    [Fact]
    public async Task A_dead_silo_stays_while_its_last_sign_of_life_or_vote_is_young()
    {
        await using var cluster = await database.NewClusterAsync();
        var alive = SomeSilo.Entry(SiloStatus.Dead, start: Old);
        alive.IAmAliveTime = Cutoff;
        await cluster.Membership.InsertAsync(alive);
        var voted = await cluster.Membership.InsertAsync(SomeSilo.Entry(SiloStatus.Dead, start: Old));
        voted.AddSuspector(SomeSilo.Address(), Cutoff);
        Assert.True(await cluster.Membership.UpdateAsync(voted));

        await cluster.Membership.CleanupDefunctSiloEntriesAsync(Cutoff);

        Assert.Equal(2, (await cluster.Membership.ReadAllAsync()).Members.Count);
    }

    [Fact]
    public async Task Silos_of_other_clusters_stay()
    {
        await using var cluster = await database.NewClusterAsync();
        await using var other = await database.NewClusterAsync();
        await cluster.Membership.InsertAsync(SomeSilo.Entry(SiloStatus.Dead, start: Old));
        await other.Membership.InsertAsync(SomeSilo.Entry(SiloStatus.Dead, start: Old));

        await cluster.Membership.CleanupDefunctSiloEntriesAsync(Cutoff);

        Assert.Empty((await cluster.Membership.ReadAllAsync()).Members);
        Assert.Single((await other.Membership.ReadAllAsync()).Members);
    }

    [Theory]
    [InlineData("i_am_alive_time = i_am_alive_time + interval '1 microsecond'")]
    [InlineData("start_time = start_time + interval '1 microsecond'")]
    [InlineData("suspect_times = 'somebody'")]
    [InlineData("status = 3")]
    public async Task A_row_that_changed_after_it_was_read_stays(string change)
    {
        await using var cluster = await database.NewClusterAsync();
        var entry = await cluster.Membership.InsertAsync(SomeSilo.Entry(SiloStatus.Dead, start: Old));
        await database.ExecuteAsync(
            $"UPDATE orleans.silos SET {change} WHERE cluster_id = '{cluster.ClusterId}'");

        Assert.Equal(0, await DeleteAsReadAsync(cluster.ClusterId, entry));
        await database.ExecuteAsync(
            $"""
             UPDATE orleans.silos
             SET status = 6, suspect_times = NULL, start_time = '{Old:O}', i_am_alive_time = '{Old:O}'
             WHERE cluster_id = '{cluster.ClusterId}'
             """);
        Assert.Equal(1, await DeleteAsReadAsync(cluster.ClusterId, entry));
    }

    [Fact]
    public async Task A_provider_that_does_not_know_the_key_for_one_silo_cleans_up_with_the_one_for_all()
    {
        await using var own = new ClusterDatabase();
        await own.InitializeAsync();
        await own.ExecuteAsync("DELETE FROM orleans.orleansquery WHERE querykey = 'CleanupDefunctSiloEntryKey'");
        await using var cluster = await own.NewClusterAsync();
        await using var other = await own.NewClusterAsync();
        await other.Membership.InsertAsync(SomeSilo.Entry(SiloStatus.Dead, start: Old));
        await cluster.Membership.InsertAsync(SomeSilo.Entry(SiloStatus.Dead, start: Old));
        await cluster.Membership.InsertAsync(SomeSilo.Entry(SiloStatus.Active, start: Old));
        await cluster.Membership.InsertAsync(SomeSilo.Entry(SiloStatus.Dead, start: Cutoff));

        await cluster.Membership.CleanupDefunctSiloEntriesAsync(Cutoff);

        Assert.Equal(2, (await cluster.Membership.ReadAllAsync()).Members.Count);
        Assert.Single((await other.Membership.ReadAllAsync()).Members);
    }

    /// <summary>What the provider does to a row that it has read; nothing can step in between its calls.</summary>
    private async Task<int> DeleteAsReadAsync(string clusterId, MembershipEntry read)
    {
        var text = Assert.Single(await database.ColumnAsync<string>(
            "SELECT querytext FROM orleans.orleansquery WHERE querykey = 'CleanupDefunctSiloEntryKey'"));
        await using var command = database.Orleans.CreateCommand(text);
        command.Parameters.AddWithValue("DeploymentId", clusterId);
        command.Parameters.AddWithValue("Address", read.SiloAddress.Endpoint.Address.ToString());
        command.Parameters.AddWithValue("Port", read.SiloAddress.Endpoint.Port);
        command.Parameters.AddWithValue("Generation", read.SiloAddress.Generation);
        command.Parameters.AddWithValue("SuspectTimes", NpgsqlDbType.Text, DBNull.Value);
        command.Parameters.AddWithValue("StartTime", read.StartTime);
        command.Parameters.AddWithValue("IAmAliveTime", read.IAmAliveTime);
        return await command.ExecuteNonQueryAsync();
    }
}
