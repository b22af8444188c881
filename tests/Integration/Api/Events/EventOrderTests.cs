using System.Globalization;
using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Api.Events;

/// <summary>The order of events, and which of them are kept.</summary>
public sealed class EventOrderTests(EventsDatabase database) : IClassFixture<EventsDatabase>
{
    [Fact]
    public async Task A_transaction_that_took_its_id_early_and_committed_late_comes_after_what_was_seen_before()
    {
        var before = await database.NumberAsync();
        await using var connection = await database.Owner.OpenConnectionAsync();
        await using var early = await connection.BeginTransactionAsync();
        await NoteAsync(connection, "early");
        await database.NoteAsync(what: """{"who": "late"}""");

        Assert.Equal(before + 1, await database.NumberAsync());
        await early.CommitAsync();
        Assert.Equal(before + 2, await database.NumberAsync());

        Assert.Equal(
            ["""agency_changed: {"who": "late"}""", """agency_changed: {"who": "early"}"""],
            await database.AfterAsync(before));
    }

    [Fact]
    public async Task A_transaction_that_stays_open_holds_up_nobody_elses_events()
    {
        var before = await database.NumberAsync();
        await using var connection = await database.Owner.OpenConnectionAsync();
        await using var open = await connection.BeginTransactionAsync();
        await NoteAsync(connection, "never");

        for (var number = 1; number <= 3; number++) await database.NoteAsync();

        Assert.Equal(before + 3, await database.NumberAsync());
        await open.RollbackAsync();
        Assert.Equal(before + 3, await database.NumberAsync());
    }

    [Fact]
    public async Task Whoever_has_seen_a_position_has_seen_all_below_it_however_many_write_and_number_at_once()
    {
        const int writers = 6, each = 60, numberers = 3;
        var before = await database.NumberAsync();
        using var written = new CancellationTokenSource();
        // A reader goes on after what it has seen: what it would miss is what this test is about.
        var reading = ReadOnAsync(before, before + (writers * each));
        var numbering = Enumerable.Range(0, numberers).Select(_ => NumberUntilAsync(written.Token)).ToList();

        await Task.WhenAll(Enumerable.Range(0, writers).Select(writer => WriteAsync(writer, each)));
        await written.CancelAsync();
        await Task.WhenAll(numbering);
        await database.NumberAsync();
        var seen = await reading;

        Assert.Equal(
            Enumerable.Range(1, writers * each).Select(number => before + number), seen.Select(row => row.Position));
        Assert.Equal(writers * each, seen.Select(row => row.Id).Distinct().Count());
    }

    [Fact]
    public async Task More_events_than_one_statement_numbers_are_numbered_in_the_order_of_their_ids()
    {
        var before = await database.NumberAsync();
        await database.ExecuteAsync(
            "INSERT INTO events (kind, details) "
            + "SELECT 'agency_changed', to_jsonb(n) FROM generate_series(1, 2500) AS n");

        Assert.Equal(before + 2_500, await database.NumberAsync());
        Assert.Equal(
            0,
            await database.ReadAsync<long>(
                $"""
                SELECT count(*) FROM events
                WHERE position > {before} AND position <> {before} + details::text::int
                """));
    }

    [Fact]
    public async Task Old_events_go_from_the_first_on_and_the_newest_stays()
    {
        await using var alone = new EventsDatabase();
        await alone.InitializeAsync();
        for (var number = 1; number <= 5; number++) await alone.NoteAsync();
        await alone.NumberAsync();
        await AgeAsync(2, 3, 5);

        // The first one is young, so that nothing before it is missing.
        Assert.Equal(0, await TrimAsync(100));
        await AgeAsync(1);
        Assert.Equal(2, await TrimAsync(2));
        Assert.Equal(1, await TrimAsync(2));
        Assert.Equal("4, 5", await PositionsAsync());
        await AgeAsync(4);
        Assert.Equal(1, await TrimAsync(2));
        Assert.Equal("5", await PositionsAsync());

        await alone.NoteAsync();
        Assert.Equal(6, await alone.NumberAsync());

        Task AgeAsync(params int[] positions) => alone.ExecuteAsync(
            $"UPDATE events SET at = now() - interval '8 days' WHERE position IN ({string.Join(", ", positions)})");

        Task<int> TrimAsync(int atMost) => alone.ReadAsync<int>($"SELECT actors.trim_events('7 days', {atMost})");

        Task<string> PositionsAsync() => alone.ReadAsync<string>(
            "SELECT string_agg(position::text, ', ' ORDER BY position) FROM events");
    }

    private static async Task NoteAsync(NpgsqlConnection connection, string who)
    {
        await using var insert = new NpgsqlCommand(
            $$"""INSERT INTO events (kind, details) VALUES ('agency_changed', '{"who": "{{who}}"}')""", connection);
        await insert.ExecuteNonQueryAsync();
    }

    /// <summary>Transactions of one event each, some of them after one that is rolled back.</summary>
    private async Task WriteAsync(int writer, int count)
    {
        for (var number = 0; number < count; number++)
        {
            await using var connection = await database.Owner.OpenConnectionAsync();
            await using (var first = await connection.BeginTransactionAsync())
            {
                if (number % 5 == 0) await NoteAsync(connection, "rolled back");
            }

            await using var transaction = await connection.BeginTransactionAsync();
            await NoteAsync(connection, string.Create(CultureInfo.InvariantCulture, $"{writer}/{number}"));
            await transaction.CommitAsync();
        }
    }

    private async Task NumberUntilAsync(CancellationToken written)
    {
        while (!written.IsCancellationRequested) await database.NumberAsync();
    }

    private async Task<List<(long Position, long Id)>> ReadOnAsync(long position, long last)
    {
        var seen = new List<(long Position, long Id)>();
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (position < last)
        {
            await using var command = database.Owner.CreateCommand(
                "SELECT position, id FROM events WHERE position > $1 ORDER BY position LIMIT 7");
            command.Parameters.Add(new() { Value = position });
            await using var rows = await command.ExecuteReaderAsync(limit.Token);
            while (await rows.ReadAsync(limit.Token)) seen.Add((position = rows.GetInt64(0), rows.GetInt64(1)));
        }

        return seen;
    }
}
