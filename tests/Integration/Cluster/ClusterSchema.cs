using Actors.Silo.Cluster;
using Npgsql;

namespace Actors.Tests.Integration.Cluster;

/// <summary>
/// Runs the cluster domain's own SQL files on a database, each in one transaction, as `migrate` does. The only place
/// of these tests that knows where the files are.
/// </summary>
internal static class ClusterSchema
{
    private static readonly Lazy<Task> SiloRole = new(EnsureSiloRoleAsync);

    public static async Task UpAsync(NpgsqlDataSource owner)
    {
        await SiloRole.Value;
        await RunAsync(owner, "001_orleans_tables.sql");
    }

    public static Task DownAsync(NpgsqlDataSource owner) => RunAsync(owner, "001_orleans_tables.down.sql");

    public static async Task VerifyAsync(NpgsqlDataSource owner)
    {
        await using var connection = await owner.OpenConnectionAsync();
        await VerifyAsync(connection);
    }

    /// <summary>Within the transaction that the connection is in, if any: the file only reads.</summary>
    public static async Task VerifyAsync(NpgsqlConnection connection)
    {
        await using var command = new NpgsqlCommand(await ReadAsync("verify.sql"), connection);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task RunAsync(NpgsqlDataSource owner, string file)
    {
        await using var connection = await owner.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using var command = new NpgsqlCommand(await ReadAsync(file), connection, transaction);
        await command.ExecuteNonQueryAsync();
        await transaction.CommitAsync();
    }

    private static async Task<string> ReadAsync(string file)
    {
        await using var stream = typeof(OrleansDataSource).Assembly
            .GetManifestResourceStream($"sql/003_cluster_domain/{file}")
            ?? throw new InvalidOperationException($"The silo's assembly carries no sql/003_cluster_domain/{file}.");
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync();
    }

    /// <summary>The role belongs to the whole server, and the migrations make it.</summary>
    private static async Task EnsureSiloRoleAsync()
    {
        await using var migrated = await Support.TestDatabase.CreateMigratedAsync();
    }
}
