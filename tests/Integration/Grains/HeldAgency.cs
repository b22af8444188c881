using Npgsql;

namespace Actors.Tests.Integration.Grains;

/// <summary>An agency whose row somebody else holds locked, until it is released or disposed of.</summary>
public sealed class HeldAgency : IAsyncDisposable
{
    private readonly NpgsqlConnection _connection;
    private readonly NpgsqlTransaction _transaction;

    private HeldAgency(NpgsqlConnection connection, NpgsqlTransaction transaction) =>
        (_connection, _transaction) = (connection, transaction);

    public static async Task<HeldAgency> HoldAsync(NpgsqlDataSource owner, Guid agency)
    {
        var connection = await owner.OpenConnectionAsync();
        var transaction = await connection.BeginTransactionAsync();
        await using var hold = new NpgsqlCommand(
            "SELECT FROM agency_cutoffs WHERE agency_id = $1 FOR UPDATE", connection);
        hold.Parameters.Add(new() { Value = agency });
        await hold.ExecuteNonQueryAsync();
        return new HeldAgency(connection, transaction);
    }

    public Task ReleaseAsync() => _transaction.RollbackAsync();

    public async ValueTask DisposeAsync()
    {
        await _transaction.DisposeAsync();
        await _connection.DisposeAsync();
    }
}
