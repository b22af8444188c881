using Actors.Tests.Support;
using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Api.Events;

/// <summary>A migrated database of a test's own, and its events.</summary>
public sealed class EventsDatabase : IAsyncLifetime
{
    private TestDatabase? _database;

    public NpgsqlDataSource Owner { get; private set; } = null!;

    /// <summary>May act as any role.</summary>
    public NpgsqlDataSource Superuser { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        _database = await TestDatabase.CreateMigratedAsync();
        Owner = NpgsqlDataSource.Create(_database.ConnectionString);
        Superuser = NpgsqlDataSource.Create(_database.SuperuserConnectionString);
    }

    public async ValueTask DisposeAsync()
    {
        if (Superuser is not null) await Superuser.DisposeAsync();
        if (Owner is not null) await Owner.DisposeAsync();
        if (_database is not null) await _database.DisposeAsync();
    }

    public async Task ExecuteAsync(string sql)
    {
        await using var command = Owner.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    public async Task<T> ReadAsync<T>(string sql)
    {
        await using var command = Owner.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Numbers what can be seen, and answers the last position.</summary>
    public Task<long> NumberAsync() => ReadAsync<long>("SELECT last_position FROM actors.number_events()");

    /// <summary>
    /// Everything after a position as `kind: details`, in order and without keys whose values differ each time.
    /// </summary>
    public async Task<List<string>> AfterAsync(long position)
    {
        await using var command = Owner.CreateCommand(
            "SELECT kind || ': ' || details::text FROM events WHERE position > $1 ORDER BY position");
        command.Parameters.Add(new() { Value = position });
        await using var rows = await command.ExecuteReaderAsync();
        var events = new List<string>();
        while (await rows.ReadAsync()) events.Add(rows.GetString(0));
        return events;
    }

    public Task NoteAsync(string kind = "agency_changed", string what = "{}") =>
        ExecuteAsync($"INSERT INTO events (kind, details) VALUES ('{kind}', '{what}')");
}
