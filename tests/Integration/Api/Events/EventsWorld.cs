using Actors.Api.Access;
using Actors.Api.Events;
using Actors.Tests.Integration.Api.Runs;
using Actors.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Api.Events;

/// <summary>A migrated database and processes of the API on it. No silo is there: tests write what is told.</summary>
public sealed class EventsWorld : IAsyncLifetime
{
    private readonly Unreachable _silo = Unreachable.Start();
    private TestDatabase? _database;

    public NpgsqlDataSource Owner { get; private set; } = null!;

    /// <summary>A process with the usual limits, which listens.</summary>
    internal ApiProcess Api { get; private set; } = null!;

    public ApiKey Reader { get; private set; } = null!;

    internal TestDatabase Database => _database!;

    public async ValueTask InitializeAsync()
    {
        _database = await TestDatabase.CreateMigratedAsync();
        Owner = NpgsqlDataSource.Create(_database.ConnectionString);
        // Only by listening does it hear of anything within the time of a test.
        Api = await StartAsync(new EventLimits { LookEvery = TimeSpan.FromHours(1) });
        Reader = await KeyAsync("read");
    }

    public async ValueTask DisposeAsync()
    {
        if (Api is not null) await Api.DisposeAsync();
        _silo.Dispose();
        if (Owner is not null) await Owner.DisposeAsync();
        if (_database is not null) await _database.DisposeAsync();
    }

    internal Task<ApiProcess> StartAsync(
        EventLimits limits, bool listens = true, JwtSettings? tokens = null) => ApiProcess.StartAsync(
        Database, _silo.Grains, services =>
        {
            services.AddSingleton(limits);
            if (listens) services.AddSingleton(new EventListening(Database.ApiConnectionString));
        },
        tokens);

    public async Task<ApiKey> KeyAsync(string scope)
    {
        var key = ApiKey.Create();
        await using var insert = Owner.CreateCommand(
            "INSERT INTO api_keys (name, key_hash, scopes) VALUES ($1, $2, ARRAY[$3])");
        insert.Parameters.Add(new() { Value = $"key {Guid.NewGuid():N}" });
        insert.Parameters.Add(new() { Value = key.Hash() });
        insert.Parameters.Add(new() { Value = scope });
        await insert.ExecuteNonQueryAsync();
        return key;
    }

    /// <summary>Notes events, in one transaction, whose details are these numbers.</summary>
    public Task NoteAsync(params int[] numbers) => ExecuteAsync(
        "INSERT INTO events (kind, details) SELECT 'agency_changed', to_jsonb(n) "
        + $"FROM unnest(ARRAY[{string.Join(", ", numbers)}]) WITH ORDINALITY AS a (n, place) ORDER BY place; "
        + "NOTIFY actors_events");

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

    /// <summary>A stream that is open and has said what it begins with.</summary>
    internal Task<EventClient> OpenAsync(
        string path = "/api/events", string? lastEventId = null, ApiKey? key = null, ApiProcess? api = null) =>
        EventClient.OpenAsync(api ?? Api, key ?? Reader, path, lastEventId);
}
