using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Cluster;

public sealed class ClusterVerifyTests(ClusterDatabase database) : IClassFixture<ClusterDatabase>
{
    [Fact]
    public Task Verify_is_content_after_up() => ClusterSchema.VerifyAsync(database.Owner);

    [Theory]
    [InlineData("DELETE FROM orleans.orleansquery WHERE querykey = 'GatewaysQueryKey'", "query GatewaysQueryKey")]
    [InlineData("DROP TABLE orleans.orleansquery", "table orleans.orleansquery")]
    [InlineData("DROP TABLE orleans.silos", "table orleans.silos")]
    [InlineData("DROP TABLE orleans.silos, orleans.clusters", "table orleans.clusters")]
    [InlineData("DROP TABLE orleans.reminders", "table orleans.reminders")]
    [InlineData("DROP INDEX orleans.reminders_service_id_grain_hash_idx", "index orleans.reminders_service_id_grain")]
    [InlineData("DROP FUNCTION orleans.insert_silo", "function orleans.insert_silo(")]
    [InlineData("DROP FUNCTION orleans.update_silo", "function orleans.update_silo(")]
    [InlineData("REVOKE USAGE ON SCHEMA orleans FROM actors_silo", "USAGE of actors_silo on schema orleans")]
    [InlineData("REVOKE DELETE ON orleans.silos FROM actors_silo", "DELETE of actors_silo on table orleans.silos")]
    [InlineData("REVOKE SELECT ON orleans.orleansquery FROM actors_silo", "SELECT of actors_silo on table orleans.o")]
    [InlineData("REVOKE USAGE ON SEQUENCE orleans.reminder_versions FROM actors_silo", "USAGE of actors_silo on seq")]
    [InlineData("REVOKE ALL ON FUNCTION orleans.update_silo FROM actors_silo", "EXECUTE of actors_silo on function")]
    public async Task Verify_names_what_is_missing(string damage, string named)
    {
        await using var connection = await database.Owner.OpenConnectionAsync();
        // Never committed: the next case finds everything in its place.
        await using var transaction = await connection.BeginTransactionAsync();
        await using (var command = new NpgsqlCommand(damage, connection, transaction))
            await command.ExecuteNonQueryAsync();

        var refused = await Assert.ThrowsAsync<PostgresException>(() => ClusterSchema.VerifyAsync(connection));

        Assert.Contains(named, refused.MessageText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Everybody_else_may_do_nothing()
    {
        var granted = await database.ColumnAsync<string>(
            """
            SELECT name || ': ' || entry.privilege_type
            FROM (
              SELECT nspname::text, coalesce(nspacl, acldefault('n', nspowner)) FROM pg_namespace
              WHERE nspname = 'orleans'
              UNION ALL
              SELECT relname, coalesce(
                relacl, acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner))
              FROM pg_class WHERE relnamespace = 'orleans'::regnamespace AND relkind IN ('r', 'S')
              UNION ALL
              SELECT proname, coalesce(proacl, acldefault('f', proowner)) FROM pg_proc
              WHERE pronamespace = 'orleans'::regnamespace
            ) AS objects (name, acl)
            CROSS JOIN LATERAL aclexplode(acl) AS entry
            WHERE entry.grantee = 0
            """);

        Assert.Empty(granted);
    }
}
