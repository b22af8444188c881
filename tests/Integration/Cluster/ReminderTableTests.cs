using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Cluster;

public sealed class ReminderTableTests(ClusterDatabase database) : IClassFixture<ClusterDatabase>
{
    [Fact]
    public async Task A_reminder_is_read_back_as_it_was_written()
    {
        await using var cluster = await database.NewClusterAsync();
        var entry = SomeReminder.Entry();
        entry.StartAt = entry.StartAt.AddTicks(TimeSpan.TicksPerMicrosecond);

        entry.ETag = await cluster.Reminders.UpsertRow(entry);

        Assert.NotNull(entry.ETag);
        AssertSame(entry, await cluster.Reminders.ReadRow(entry.GrainId, entry.ReminderName));
    }

    [Fact]
    public async Task A_start_without_a_kind_is_taken_as_UTC()
    {
        await using var cluster = await database.NewClusterAsync();
        var entry = SomeReminder.Entry();
        entry.StartAt = DateTime.SpecifyKind(entry.StartAt, DateTimeKind.Unspecified);

        await cluster.Reminders.UpsertRow(entry);

        var read = await cluster.Reminders.ReadRow(entry.GrainId, entry.ReminderName);
        Assert.Equal(SomeReminder.Entry().StartAt, read!.StartAt);
        Assert.Equal(DateTimeKind.Utc, read.StartAt.Kind);
    }

    [Fact]
    public async Task Writing_a_reminder_again_replaces_it_under_a_new_etag()
    {
        await using var cluster = await database.NewClusterAsync();
        var entry = SomeReminder.Entry();
        var first = await cluster.Reminders.UpsertRow(entry);
        entry.StartAt = entry.StartAt.AddHours(1);
        entry.Period = TimeSpan.FromHours(24);

        entry.ETag = await cluster.Reminders.UpsertRow(entry);

        Assert.NotEqual(first, entry.ETag);
        AssertSame(entry, Assert.Single((await cluster.Reminders.ReadRows(entry.GrainId)).Reminders));
    }

    [Fact]
    public async Task Many_writes_at_once_all_succeed_with_an_etag_each_and_the_last_one_stays()
    {
        await using var cluster = await database.NewClusterAsync();
        var grains = Enumerable.Range(0, 5).Select(_ => SomeReminder.Entry().GrainId).ToList();

        var etags = await Task.WhenAll(grains.SelectMany(grain => Enumerable.Range(1, 10).Select(second =>
        {
            var entry = SomeReminder.Entry(grain);
            entry.StartAt = entry.StartAt.AddSeconds(second);
            return cluster.Reminders.UpsertRow(entry);
        })));

        Assert.Equal(50, etags.Distinct().Count());
        Assert.All(etags, Assert.NotNull);
        foreach (var grain in grains)
            Assert.Contains(Assert.Single((await cluster.Reminders.ReadRows(grain)).Reminders).ETag, etags);
    }

    [Fact]
    public async Task A_reminder_is_removed_with_its_own_etag_and_with_no_other()
    {
        await using var cluster = await database.NewClusterAsync();
        var entry = SomeReminder.Entry();
        var stale = (await cluster.Reminders.UpsertRow(entry))!;
        var current = (await cluster.Reminders.UpsertRow(entry))!;

        Assert.False(await cluster.Reminders.RemoveRow(entry.GrainId, entry.ReminderName, stale));
        Assert.False(await cluster.Reminders.RemoveRow(entry.GrainId, "another", current));
        Assert.False(await cluster.Reminders.RemoveRow(SomeReminder.Entry().GrainId, entry.ReminderName, current));
        Assert.NotNull(await cluster.Reminders.ReadRow(entry.GrainId, entry.ReminderName));

        Assert.True(await cluster.Reminders.RemoveRow(entry.GrainId, entry.ReminderName, current));
        Assert.False(await cluster.Reminders.RemoveRow(entry.GrainId, entry.ReminderName, current));
        Assert.Null(await cluster.Reminders.ReadRow(entry.GrainId, entry.ReminderName));
    }

    [Fact]
    public async Task Of_many_removals_at_once_exactly_one_finds_the_reminder()
    {
        await using var cluster = await database.NewClusterAsync();
        var entry = SomeReminder.Entry();
        var etag = (await cluster.Reminders.UpsertRow(entry))!;

        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(
            _ => cluster.Reminders.RemoveRow(entry.GrainId, entry.ReminderName, etag)));

        Assert.Single(answers, removed => removed);
    }

    [Fact]
    public async Task A_reminder_that_was_removed_and_made_again_does_not_obey_its_old_etag()
    {
        await using var cluster = await database.NewClusterAsync();
        var entry = SomeReminder.Entry();
        var old = (await cluster.Reminders.UpsertRow(entry))!;
        Assert.True(await cluster.Reminders.RemoveRow(entry.GrainId, entry.ReminderName, old));
        await cluster.Reminders.UpsertRow(entry);

        Assert.False(await cluster.Reminders.RemoveRow(entry.GrainId, entry.ReminderName, old));
    }

    [Fact]
    public async Task What_is_absent_is_read_as_nothing()
    {
        await using var cluster = await database.NewClusterAsync();
        var grain = SomeReminder.Entry().GrainId;

        Assert.Null(await cluster.Reminders.ReadRow(grain, "absent"));
        Assert.Empty((await cluster.Reminders.ReadRows(grain)).Reminders);
        Assert.Empty((await cluster.Reminders.ReadRows(0, 0)).Reminders);
    }

    [Fact]
    public async Task A_grain_has_its_own_reminders_and_names_differ_by_case()
    {
        await using var cluster = await database.NewClusterAsync();
        var grain = SomeReminder.Entry().GrainId;
        await cluster.Reminders.UpsertRow(SomeReminder.Entry(grain, "cutoff"));
        await cluster.Reminders.UpsertRow(SomeReminder.Entry(grain, "Cutoff"));
        await cluster.Reminders.UpsertRow(SomeReminder.Entry(name: "cutoff"));

        var read = await cluster.Reminders.ReadRows(grain);

        var names = read.Reminders.Select(row => row.ReminderName).Order(StringComparer.Ordinal);
        Assert.Equal(["Cutoff", "cutoff"], names);
    }

    [Theory]
    [InlineData('x')]
    [InlineData('/')]
    [InlineData('字')]
    public async Task Grain_ids_and_names_of_150_characters_come_back_whatever_the_characters(char character)
    {
        const string Type = "agency";
        var grain = GrainId.Create(Type, new string(character, 150 - Type.Length - 1));
        await using var cluster = await OrleansTables.OpenAsync(
            database.Orleans, "cluster", new string(character, 150));
        var entry = SomeReminder.Entry(grain, new string(character, 150));

        entry.ETag = await cluster.Reminders.UpsertRow(entry);

        Assert.Equal(150, grain.ToString().Length);
        AssertSame(entry, await cluster.Reminders.ReadRow(grain, entry.ReminderName));
        AssertSame(entry, Assert.Single((await cluster.Reminders.ReadRows(grain)).Reminders));
        AssertSame(entry, Assert.Single((await cluster.Reminders.ReadRows(0, 0)).Reminders));
        Assert.True(await cluster.Reminders.RemoveRow(grain, entry.ReminderName, entry.ETag!));
    }

    [Fact]
    public async Task A_name_that_is_too_long_is_refused_and_the_constraint_says_why()
    {
        await using var cluster = await database.NewClusterAsync();
        var entry = SomeReminder.Entry(name: new string('x', 151));

        var refused = await Assert.ThrowsAsync<PostgresException>(() => cluster.Reminders.UpsertRow(entry));

        Assert.Equal("reminders_reminder_name_length", refused.ConstraintName);
        Assert.Empty((await cluster.Reminders.ReadRows(entry.GrainId)).Reminders);
    }

    [Fact]
    public async Task A_period_may_be_longer_than_an_int_holds_milliseconds_and_may_become_shorter_again()
    {
        await using var cluster = await database.NewClusterAsync();
        var entry = SomeReminder.Entry();
        foreach (var milliseconds in new[] { 1, int.MaxValue, int.MaxValue + 1L, 366L * 24 * 60 * 60 * 1000, 60_000 })
        {
            entry.Period = TimeSpan.FromMilliseconds(milliseconds);
            entry.ETag = await cluster.Reminders.UpsertRow(entry);
            AssertSame(entry, await cluster.Reminders.ReadRow(entry.GrainId, entry.ReminderName));
        }
    }

    [Fact]
    public async Task Two_services_on_one_database_do_not_see_each_other()
    {
        await using var one = await database.NewClusterAsync();
        await using var other = await database.NewClusterAsync();
        var entry = SomeReminder.Entry();
        var etag = (await one.Reminders.UpsertRow(entry))!;
        var later = SomeReminder.Entry(entry.GrainId);
        later.StartAt = later.StartAt.AddDays(1);
        later.ETag = await other.Reminders.UpsertRow(later);

        Assert.Equal(entry.StartAt, (await one.Reminders.ReadRow(entry.GrainId, entry.ReminderName))!.StartAt);
        Assert.False(await other.Reminders.RemoveRow(entry.GrainId, entry.ReminderName, etag));
        await one.Reminders.TestOnlyClearTable();

        Assert.Empty((await one.Reminders.ReadRows(0, 0)).Reminders);
        AssertSame(later, Assert.Single((await other.Reminders.ReadRows(0, 0)).Reminders));
    }

    [Fact]
    public async Task Clusters_that_follow_each_other_under_one_service_keep_its_reminders()
    {
        await using var before = await database.NewClusterAsync();
        var entry = SomeReminder.Entry();
        entry.ETag = await before.Reminders.UpsertRow(entry);

        await using var after = await OrleansTables.OpenAsync(database.Orleans, "cluster-after", before.ServiceId);

        AssertSame(entry, await after.Reminders.ReadRow(entry.GrainId, entry.ReminderName));
    }

    private static void AssertSame(ReminderEntry expected, ReminderEntry? read)
    {
        Assert.NotNull(read);
        Assert.Equal(expected.GrainId, read.GrainId);
        Assert.Equal(expected.ReminderName, read.ReminderName);
        Assert.Equal(expected.StartAt, read.StartAt);
        Assert.Equal(expected.Period, read.Period);
        Assert.Equal(expected.ETag, read.ETag);
    }
}
