using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Cluster;

/// <summary>
/// A silo asks for the reminders of its arcs of the ring of unsigned 32-bit hashes: begin excluded, end included. The
/// table knows those hashes as signed integers only.
/// </summary>
public sealed class ReminderRangeTests(ClusterDatabase database) : IClassFixture<ClusterDatabase>
{
    /// <summary>Both ends of the ring, both sides of where the sign changes, and something in between.</summary>
    private static readonly uint[] Edges =
    [
        0, 1, 0x3FFFFFFF, int.MaxValue - 1, int.MaxValue, int.MaxValue + 1u, int.MaxValue + 2u, 0xC0000000,
        uint.MaxValue - 1, uint.MaxValue,
    ];

    [Fact]
    public async Task Every_arc_between_the_edges_of_the_ring_excludes_its_begin_and_includes_its_end()
    {
        await using var cluster = await database.NewClusterAsync();
        await InsertAtHashesAsync(cluster.ServiceId, Edges);

        foreach (var begin in Edges)
        foreach (var end in Edges)
        {
            var read = await cluster.Reminders.ReadRows(begin, end);

            var hashes = read.Reminders.Select(row => uint.Parse(row.ReminderName, null)).Order();
            var expected = Edges.Where(hash => begin < end
                ? hash > begin && hash <= end
                : hash > begin || hash <= end);
            Assert.True(expected.SequenceEqual(hashes), $"({begin}, {end}] gave {string.Join(' ', hashes)}");
        }
    }

    [Fact]
    public async Task The_ring_read_in_pieces_gives_every_reminder_once()
    {
        await using var cluster = await database.NewClusterAsync();
        var grains = await UpsertManyAsync(cluster, 500);

        foreach (var pieces in new uint[] { 1, 2, 3, 7, 60 })
        {
            // The pieces start off zero, so the last of them wraps.
            var cuts = Enumerable.Range(0, (int)pieces)
                .Select(piece => unchecked(0x12345678u + (uint)piece * (uint.MaxValue / pieces))).ToList();
            var read = await Task.WhenAll(cuts.Select(
                (cut, piece) => cluster.Reminders.ReadRows(cut, cuts[(piece + 1) % cuts.Count])));

            Assert.Equal(
                grains.Order(), read.SelectMany(table => table.Reminders).Select(row => row.GrainId).Order());
        }
    }

    [Fact]
    public async Task Any_arc_gives_exactly_the_grains_whose_hash_lies_on_it()
    {
        await using var cluster = await database.NewClusterAsync();
        var grains = await UpsertManyAsync(cluster, 300);
        var random = new Random(20260801);

        for (var i = 0; i < 200; i++)
        {
            // Half of the ends are a grain's own hash, where begin and end differ.
            var begin = Pick();
            var end = Pick();
            var read = await cluster.Reminders.ReadRows(begin, end);

            var expected = grains.Where(grain => grain.GetUniformHashCode() is var hash && (begin < end
                ? hash > begin && hash <= end
                : hash > begin || hash <= end));
            Assert.Equal(expected.Order(), read.Reminders.Select(row => row.GrainId).Order());
        }

        uint Pick() => random.Next(2) == 0
            ? (uint)random.NextInt64(1L << 32)
            : grains[random.Next(grains.Count)].GetUniformHashCode();
    }

    [Fact]
    public async Task A_silo_that_is_alone_asks_for_the_full_ring_and_gets_it()
    {
        await using var cluster = await database.NewClusterAsync();
        await InsertAtHashesAsync(cluster.ServiceId, Edges);

        foreach (var cut in Edges)
            Assert.Equal(Edges.Length, (await cluster.Reminders.ReadRows(cut, cut)).Reminders.Count);
    }

    [Theory]
    [InlineData("ReadRangeRows1Key", 1000, 40_000_000)]
    [InlineData("ReadRangeRows2Key", 2_130_000_000, -2_130_000_000)]
    public async Task A_silo_s_share_is_read_by_its_index_and_not_by_going_through_all(string key, int begin, int end)
    {
        await using var cluster = await database.NewClusterAsync();
        await database.ExecuteAsync(
            $"""
             INSERT INTO orleans.reminders (service_id, grain_id, reminder_name, start_time, period, grain_hash)
             SELECT '{cluster.ServiceId}', 'agency/' || n, 'cutoff', '2026-08-01Z', 86400000,
               (-2147483648 + n * 214748::bigint)::integer
             FROM generate_series(0, 19999) AS n;
             ANALYZE orleans.reminders;
             """);
        var text = Assert.Single(await database.ColumnAsync<string>(
            $"SELECT querytext FROM orleans.orleansquery WHERE querykey = '{key}'"));

        await using var explain = database.Orleans.CreateCommand($"EXPLAIN {text}");
        explain.Parameters.AddWithValue("ServiceId", cluster.ServiceId);
        explain.Parameters.AddWithValue("BeginHash", begin);
        explain.Parameters.AddWithValue("EndHash", end);
        var plan = new List<string>();
        await using var reader = await explain.ExecuteReaderAsync();
        while (await reader.ReadAsync()) plan.Add(reader.GetString(0));

        Assert.Contains(plan, line => line.Contains("reminders_service_id_grain_hash_idx", StringComparison.Ordinal));
        Assert.DoesNotContain(plan, line => line.Contains("Seq Scan", StringComparison.Ordinal));
    }

    private static async Task<List<GrainId>> UpsertManyAsync(OrleansTables cluster, int count)
    {
        var entries = Enumerable.Range(0, count).Select(_ => SomeReminder.Entry()).ToList();
        await Task.WhenAll(entries.Select(entry => cluster.Reminders.UpsertRow(entry)));
        return entries.ConvertAll(entry => entry.GrainId);
    }

    /// <summary>Nobody can choose a grain's hash, but Orleans reads by the stored one; the name tells it.</summary>
    private async Task InsertAtHashesAsync(string serviceId, uint[] hashes)
    {
        await using var insert = database.Owner.CreateCommand(
            """
            INSERT INTO orleans.reminders (service_id, grain_id, reminder_name, start_time, period, grain_hash)
            SELECT $1, 'agency/' || name, name, '2026-08-01Z', 60000, hash FROM unnest($2, $3) AS rows (name, hash)
            """);
        insert.Parameters.Add(new NpgsqlParameter { Value = serviceId });
        var names = Array.ConvertAll(hashes, hash => hash.ToString(null, null));
        insert.Parameters.Add(new NpgsqlParameter { Value = names });
        insert.Parameters.Add(new NpgsqlParameter { Value = Array.ConvertAll(hashes, hash => unchecked((int)hash)) });
        await insert.ExecuteNonQueryAsync();
    }
}
