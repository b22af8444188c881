using Actors.Api.Access;
using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Api;

/// <summary>The table `api_keys` of a test, filled with keys in any state.</summary>
internal static class ApiKeysTable
{
    /// <summary>A key that is let in, unless <paramref name="assignments"/> to its row say otherwise.</summary>
    /// <param name="source">Where the table is.</param>
    /// <param name="assignments">Such as `revoked_at = now()`.</param>
    public static async Task<ApiKey> AddAsync(NpgsqlDataSource source, string assignments = "revoked_at = NULL")
    {
        var key = ApiKey.Create();
        Assert.True(await new ApiKeyStore(source).AddAsync(
            ApiKeyName.Parse($"key {Guid.NewGuid():N}", out _)!, key, ApiKeyScopes.TriggerOnly, null,
            TestContext.Current.CancellationToken));
        await using var update = source.CreateCommand($"UPDATE api_keys SET {assignments} WHERE key_hash = $1");
        update.Parameters.Add(new() { Value = key.Hash() });
        await update.ExecuteNonQueryAsync();
        return key;
    }

    public static async Task ExecuteAsync(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>One value of the row of a key.</summary>
    public static async Task<T> ReadAsync<T>(NpgsqlDataSource source, ApiKey key, string expression)
    {
        await using var read = source.CreateCommand($"SELECT {expression} FROM api_keys WHERE key_hash = $1");
        read.Parameters.Add(new() { Value = key.Hash() });
        return (T)(await read.ExecuteScalarAsync())!;
    }

    /// <summary>Every row as PostgreSQL writes it into a dump.</summary>
    public static async Task<string> DumpAsync(NpgsqlDataSource source)
    {
        await using var connection = await source.OpenConnectionAsync();
        using var rows = await connection.BeginTextExportAsync("COPY api_keys TO STDOUT");
        return await rows.ReadToEndAsync();
    }
}
