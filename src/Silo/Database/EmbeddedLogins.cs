using Npgsql;

namespace Actors.Silo.Database;

/// <summary>The database and the logins of the embedded server, as its superuser makes them.</summary>
internal static class EmbeddedLogins
{
    public const string Database = "actors";
    public const string Owner = "actors_owner";
    public const string Silo = "actors_silo";
    public const string Api = "actors_api";

    /// <summary>
    /// Makes the owner and its database. Every step may have been done by an earlier start that was killed before it
    /// could say so.
    /// </summary>
    public static async Task ProvisionAsync(
        string superuser, string ownerPassword, bool mayCreateDatabases, CancellationToken cancellationToken)
    {
        await using var source = NpgsqlDataSource.Create(superuser);
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        if (!await ExistsAsync(connection, "SELECT FROM pg_roles WHERE rolname = $1", Owner, cancellationToken))
            await RunAsync(connection, $"CREATE ROLE {Owner}", cancellationToken);
        var rights = mayCreateDatabases ? "LOGIN CREATEROLE CREATEDB" : "LOGIN CREATEROLE";
        await RunAsync(connection, $"ALTER ROLE {Owner} {rights} PASSWORD '{ownerPassword}'", cancellationToken);
        if (!await ExistsAsync(connection, "SELECT FROM pg_database WHERE datname = $1", Database, cancellationToken))
            await RunAsync(connection, $"CREATE DATABASE {Database} OWNER {Owner}", cancellationToken);
    }

    /// <summary>Gives the logins of silo and API their passwords, as far as the migrations have made them.</summary>
    public static async Task EnsurePasswordsAsync(
        string superuser, EmbeddedState state, CancellationToken cancellationToken)
    {
        await using var source = NpgsqlDataSource.Create(superuser);
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        foreach (var (login, password) in new[] { (Silo, state.SiloPassword), (Api, state.ApiPassword) })
        {
            if (await ExistsAsync(connection, "SELECT FROM pg_roles WHERE rolname = $1", login, cancellationToken))
                await RunAsync(connection, $"ALTER ROLE {login} PASSWORD '{password}'", cancellationToken);
        }
    }

    private static async Task<bool> ExistsAsync(
        NpgsqlConnection connection, string query, string name, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(query, connection) { Parameters = { new() { Value = name } } };
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        return await rows.ReadAsync(cancellationToken);
    }

    private static async Task RunAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
