using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Cluster;

/// <summary>Of those who write at one version one wins; the others are told so, and leave nothing.</summary>
public sealed class MembershipRaceTests(ClusterDatabase database) : IClassFixture<ClusterDatabase>
{
    private const int Writers = 20;

    [Fact]
    public async Task Silos_that_start_a_new_cluster_together_make_one_version_row()
    {
        await using var cluster = await database.NewClusterAsync();
        await cluster.Membership.DeleteMembershipTableEntriesAsync(cluster.ClusterId);

        await Task.WhenAll(Enumerable.Range(0, Writers).Select(
            _ => cluster.Membership.InitializeMembershipTableAsync(tryInitTableVersion: true)));

        Assert.Equal(0, (await cluster.Membership.ReadAllAsync()).Version.Version);
    }

    [Fact]
    public async Task Of_many_silos_that_join_at_one_version_exactly_one_is_in()
    {
        await using var cluster = await database.NewClusterAsync();
        var next = (await cluster.Membership.ReadAllAsync()).Version.Next();
        var entries = Enumerable.Range(0, Writers).Select(_ => SomeSilo.Entry()).ToList();

        var answers = await Task.WhenAll(entries.Select(entry => cluster.Membership.InsertRowAsync(entry, next)));

        var winner = entries[Assert.Single(Enumerable.Range(0, Writers), i => answers[i])];
        var read = await cluster.Membership.ReadAllAsync();
        Assert.Equal(winner.SiloAddress, Assert.Single(read.Members).Item1.SiloAddress);
        Assert.Equal(1, read.Version.Version);
    }

    [Fact]
    public async Task One_silo_that_is_inserted_many_times_at_once_is_in_once()
    {
        await using var cluster = await database.NewClusterAsync();
        var next = (await cluster.Membership.ReadAllAsync()).Version.Next();
        var entry = SomeSilo.Entry();

        var answers = await Task.WhenAll(
            Enumerable.Range(0, Writers).Select(_ => cluster.Membership.InsertRowAsync(entry, next)));

        Assert.Single(answers, won => won);
        Assert.Equal(1, (await cluster.Membership.ReadAllAsync()).Version.Version);
    }

    [Fact]
    public async Task Of_many_updates_at_one_version_exactly_one_is_kept()
    {
        await using var cluster = await database.NewClusterAsync();
        var entry = await cluster.Membership.InsertAsync(SomeSilo.Entry());
        var next = (await cluster.Membership.ReadAllAsync()).Version.Next();
        var updates = Enumerable.Range(1, Writers).Select(second => new MembershipEntry
        {
            SiloAddress = entry.SiloAddress,
            Status = SiloStatus.Active,
            IAmAliveTime = SomeSilo.Start.AddSeconds(second),
        }).ToList();

        var answers = await Task.WhenAll(
            updates.Select(update => cluster.Membership.UpdateRowAsync(update, next.VersionEtag, next)));

        var winner = updates[Assert.Single(Enumerable.Range(0, Writers), i => answers[i])];
        Assert.Equal(winner.IAmAliveTime, (await cluster.Membership.SingleAsync(entry.SiloAddress)).IAmAliveTime);
        Assert.Equal(2, (await cluster.Membership.ReadAllAsync()).Version.Version);
    }

    [Fact]
    public async Task Writers_that_try_until_they_win_step_the_version_once_each()
    {
        await using var cluster = await database.NewClusterAsync();
        var entry = await cluster.Membership.InsertAsync(SomeSilo.Entry());

        // In every round at least one writer wins, so as many tries as there are writers are enough for each.
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(async _ =>
        {
            var won = false;
            for (var attempt = 0; attempt < Writers * Writers && !won; attempt++)
                won = await cluster.Membership.UpdateAsync(entry);
            Assert.True(won);
        }));

        var read = await cluster.Membership.ReadAllAsync();
        Assert.Equal(1 + Writers, read.Version.Version);
        Assert.Single(read.Members);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Who_waits_for_another_writer_wins_only_if_that_one_is_rolled_back(bool othersCommit)
    {
        await using var cluster = await database.NewClusterAsync();
        var next = (await cluster.Membership.ReadAllAsync()).Version.Next();
        await using var connection = await database.Owner.OpenConnectionAsync();
        await using var other = await connection.BeginTransactionAsync();
        await using (var insert = new NpgsqlCommand(
            """
            SELECT orleans.insert_silo($1, '10.0.0.1', 1, 1, 'other', 'other', 2, 0, '2026-08-01Z', '2026-08-01Z', 0)
            """, connection, other) { Parameters = { new() { Value = cluster.ClusterId } } })
            Assert.Equal(true, await insert.ExecuteScalarAsync());

        var waiting = cluster.Membership.InsertRowAsync(SomeSilo.Entry(), next);
        await OrleansWaitsForALockAsync();
        await (othersCommit ? other.CommitAsync() : other.RollbackAsync());

        Assert.Equal(!othersCommit, await waiting);
        var read = await cluster.Membership.ReadAllAsync();
        Assert.Equal(othersCommit ? "other" : "silo-1", Assert.Single(read.Members).Item1.SiloName);
        Assert.Equal(1, read.Version.Version);
    }

    [Fact]
    public async Task A_heartbeat_does_not_wait_for_who_changes_the_membership()
    {
        await using var cluster = await database.NewClusterAsync();
        var entry = await cluster.Membership.InsertAsync(SomeSilo.Entry());
        await using var connection = await database.Owner.OpenConnectionAsync();
        await using var other = await connection.BeginTransactionAsync();
        await using (var insert = new NpgsqlCommand(
            """
            SELECT orleans.insert_silo($1, '10.0.0.1', 1, 1, 'other', 'other', 2, 0, '2026-08-01Z', '2026-08-01Z', 1)
            """, connection, other) { Parameters = { new() { Value = cluster.ClusterId } } })
            Assert.Equal(true, await insert.ExecuteScalarAsync());
        entry.IAmAliveTime = entry.IAmAliveTime.AddSeconds(30);

        await cluster.Membership.UpdateIAmAliveAsync(entry);

        Assert.Equal(entry.IAmAliveTime, (await cluster.Membership.SingleAsync(entry.SiloAddress)).IAmAliveTime);
    }

    /// <summary>
    /// Only the server knows, so it is asked again and again, for 30 s at most; it shows a session's state to its own
    /// role.
    /// </summary>
    private async Task OrleansWaitsForALockAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await using var waiters = database.Orleans.CreateCommand(
            """
            SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND application_name = 'actors-orleans' AND wait_event_type = 'Lock'
            """);
        while ((long)(await waiters.ExecuteScalarAsync(limit.Token))! == 0)
            limit.Token.ThrowIfCancellationRequested();
    }
}
