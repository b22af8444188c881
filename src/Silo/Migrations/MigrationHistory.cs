using NodaTime;
using Npgsql;

namespace Actors.Silo.Migrations;

/// <summary>
/// Reads and writes <c>actors.schema_migrations</c>, and makes and removes all of the runner's bookkeeping.
/// </summary>
internal static class MigrationHistory
{
    private static readonly string MakeBookkeeping = Resource("Bookkeeping.sql") + Resource("Requirements.sql");
    private static readonly string RemoveBookkeeping = Resource("Bookkeeping.down.sql");

    /// <summary>What is applied; nothing where the database was never migrated.</summary>
    public static async Task<IReadOnlyList<AppliedMigration>> ReadAsync(
        NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        if (!await ExistsAsync(connection, cancellationToken)) return [];

        await using var command = new NpgsqlCommand(
            """
            SELECT version, sequence, domain || '/' || name, checksum, extract(epoch FROM applied_at)::float8
            FROM actors.schema_migrations
            """,
            connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var history = new List<AppliedMigration>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var id = MigrationId.TryParse(reader.GetString(0)) ?? throw new InvalidOperationException(
                $"actors.schema_migrations holds the version '{reader.GetString(0)}', which is none.");
            var appliedAt = Instant.FromUnixTimeMilliseconds((long)(reader.GetDouble(4) * 1000));
            history.Add(new AppliedMigration(
                id, reader.GetInt64(1), reader.GetString(2), reader.GetString(3), appliedAt));
        }

        return history;
    }

    /// <summary>Makes the bookkeeping, or renews its functions to this version's.</summary>
    public static Task PrepareAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        RunAsync(connection, MakeBookkeeping, cancellationToken);

    /// <summary>Written before the migration's own statements, so that whoever comes second stops here.</summary>
    public static async Task AddAsync(
        NpgsqlConnection connection, Migration migration, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            "INSERT INTO actors.schema_migrations (version, domain, name, checksum) VALUES ($1, $2, $3, $4)",
            connection)
        {
            Parameters =
            {
                new() { Value = migration.Id.ToString() },
                new() { Value = migration.Domain },
                new() { Value = migration.Name },
                new() { Value = migration.Checksum },
            },
        };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Forgets a migration that was taken down; with the last one all bookkeeping goes.</summary>
    public static async Task RemoveAsync(
        NpgsqlConnection connection, Migration migration, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            WITH forgotten AS (DELETE FROM actors.found_before WHERE migration = $1),
                 removed AS (DELETE FROM actors.schema_migrations WHERE version = $1)
            SELECT NOT EXISTS (SELECT FROM actors.schema_migrations WHERE version <> $1)
            """,
            connection)
        {
            Parameters = { new() { Value = migration.Id.ToString() } },
        };
        var wasLast = (bool)(await command.ExecuteScalarAsync(cancellationToken))!;
        if (wasLast) await RunAsync(connection, RemoveBookkeeping, cancellationToken);
    }

    // pg_class rather than to_regclass, which raises where the login may not look into the schema: the query that
    // follows then says so, in terms of the table.
    private static async Task<bool> ExistsAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            SELECT EXISTS (
              SELECT FROM pg_catalog.pg_class AS c
              JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
              WHERE n.nspname = 'actors' AND c.relname = 'schema_migrations')
            """,
            connection);
        return (bool)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private static async Task RunAsync(
        NpgsqlConnection connection, string script, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(script, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static string Resource(string name) => EmbeddedSql.Read(
        typeof(MigrationHistory).Assembly, $"{typeof(MigrationHistory).Namespace}.{name}");
}
