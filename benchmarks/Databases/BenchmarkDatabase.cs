using NodaTime;
using Npgsql;

namespace Actors.Benchmarks.Databases;

/// <summary>One database of the server, and the logins to it.</summary>
/// <param name="Name">Its name on the server.</param>
/// <param name="OwnerConnectionString">Owns everything in it; what ours is measured beside uses it.</param>
/// <param name="SiloConnectionString">The silo's own login, of the least rights.</param>
/// <param name="ApiConnectionString">The API's own login.</param>
internal sealed record BenchmarkDatabase(
    string Name, string OwnerConnectionString, string SiloConnectionString, string ApiConnectionString)
{
    /// <summary>What PostgreSQL says that time it is.</summary>
    public Task<Instant> NowAsync() => ReadAsync<Instant>("SELECT clock_timestamp()");

    /// <summary>Runs statements, as the owner, without a pool and without a limit of time.</summary>
    public async Task ExecuteAsync(string sql, params (string Name, object Value)[] parameters)
    {
        await using var source = Open();
        await using var command = Command(source, sql, parameters);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>The first column of the first row.</summary>
    public async Task<T> ReadAsync<T>(string sql, params (string Name, object Value)[] parameters)
    {
        await using var source = Open();
        await using var command = Command(source, sql, parameters);
        await using var reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        return await reader.GetFieldValueAsync<T>(0);
    }

    /// <summary>Asks again and again, on one connection, until the answer is true.</summary>
    /// <exception cref="TimeoutException">It never was.</exception>
    public async Task UntilAsync(
        string what, TimeSpan every, string sql, params (string Name, object Value)[] parameters)
    {
        await using var source = Open(connections: 1);
        await using var command = Command(source, sql, parameters);
        await Measuring.Waiting.UntilAsync(
            what, TimeSpan.FromMinutes(10), async () => await command.ExecuteScalarAsync() is true, every);
    }

    /// <summary>
    /// Reads tables and indexes into memory, and writes out what is dirty: so everybody starts alike.
    /// </summary>
    public async Task WarmAsync()
    {
        await ExecuteAsync(
            """
            SELECT pg_prewarm(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname IN ('public', 'orleans') AND c.relkind IN ('r', 'i') AND pg_relation_size(c.oid) > 0
            """);
        await ExecuteAsync("CHECKPOINT");
    }

    /// <summary>A pool of its own for the caller, who disposes of it.</summary>
    public NpgsqlDataSource Open(int connections = 4)
    {
        var settings = new NpgsqlConnectionStringBuilder(OwnerConnectionString)
        {
            MaxPoolSize = connections,
            CommandTimeout = 0,
            ApplicationName = "actors-benchmark",
        };
        var builder = new NpgsqlDataSourceBuilder(settings.ConnectionString);
        builder.UseNodaTime();
        return builder.Build();
    }

    private static NpgsqlCommand Command(
        NpgsqlDataSource source, string sql, (string Name, object Value)[] parameters)
    {
        var command = source.CreateCommand(sql);
        foreach (var (name, value) in parameters) command.Parameters.AddWithValue(name, value);
        return command;
    }
}
