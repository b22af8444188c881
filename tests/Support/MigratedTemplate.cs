using System.Security.Cryptography;
using System.Text;
using Actors.Silo.Migrations;
using Npgsql;

namespace Actors.Tests.Support;

/// <summary>
/// A database with every migration applied, from which tests clone theirs. It is named after what the migrations say,
/// so it is made once for each state of `sql/`, whichever test process comes first.
/// </summary>
internal static class MigratedTemplate
{
    /// <summary>
    /// Of the logins of silo and API, which belong to the whole server: every test of a server must give them the
    /// same.
    /// </summary>
    public const string LoginPassword = "secret";

    /// <summary>Makes it on a server where it is missing, and answers its name.</summary>
    public static async Task<string> MakeAsync(TestServer server)
    {
        var checksums = MigrationCatalogue.Embedded.Migrations.Select(migration => migration.Checksum);
        var digest = SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', checksums)));
        var template = $"template_{Convert.ToHexStringLower(digest)[..16]}";

        // Not pooled: the lock ends with the session.
        var settings = new NpgsqlConnectionStringBuilder(server.OwnerConnectionString)
        {
            Pooling = false,
            CommandTimeout = 300,
        };
        await using var connection = new NpgsqlConnection(settings.ConnectionString);
        await connection.OpenAsync();
        await ExecuteAsync(connection, "SELECT pg_advisory_lock(4701)");
        if (await ExecuteAsync(connection, $"SELECT 1 FROM pg_database WHERE datname = '{template}'") is null)
        {
            // Renamed when it is whole: one that a killed process left half made is dropped.
            await ExecuteAsync(connection, $"DROP DATABASE IF EXISTS {template}_half");
            await ExecuteAsync(connection, $"CREATE DATABASE {template}_half");
            var half = new NpgsqlConnectionStringBuilder(server.OwnerConnectionString)
            {
                Database = $"{template}_half",
            };
            await new MigrationRunner(half.ConnectionString).UpAsync();
            foreach (var login in new[] { "actors_silo", "actors_api" })
                await ExecuteAsync(connection, $"ALTER ROLE {login} PASSWORD '{LoginPassword}'");
            await ExecuteAsync(connection, $"ALTER DATABASE {template}_half RENAME TO {template}");
        }

        return template;
    }

    private static async Task<object?> ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }
}
