using Npgsql;

namespace Actors.Tests.Integration.Grains;

/// <summary>What somebody else holds locked, in a transaction of theirs, until it is released or disposed of.</summary>
public sealed class HeldLock : IAsyncDisposable
{
    private readonly NpgsqlConnection _connection;
    private readonly NpgsqlTransaction _transaction;

    private HeldLock(NpgsqlConnection connection, NpgsqlTransaction transaction) =>
        (_connection, _transaction) = (connection, transaction);

    /// <summary>Holds an agency's watermark.</summary>
    public static Task<HeldLock> OnAgencyAsync(NpgsqlDataSource owner, Guid agency) =>
        ByAsync(owner, $"SELECT FROM agency_cutoffs WHERE agency_id = '{agency}' FOR UPDATE");

    /// <summary>Holds what this statement locks.</summary>
    public static async Task<HeldLock> ByAsync(NpgsqlDataSource owner, string sql)
    {
        var connection = await owner.OpenConnectionAsync();
        var transaction = await connection.BeginTransactionAsync();
        await using var hold = new NpgsqlCommand(sql, connection);
        await hold.ExecuteNonQueryAsync();
        return new HeldLock(connection, transaction);
    }

    public Task ReleaseAsync() => _transaction.RollbackAsync();

    public async ValueTask DisposeAsync()
    {
        await _transaction.DisposeAsync();
        await _connection.DisposeAsync();
    }
}
