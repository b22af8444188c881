using Npgsql;

namespace Actors.Tests.EndToEnd;

/// <summary>
/// Waits for what another process writes into a database: nothing there can be awaited, so it is asked again and again.
/// </summary>
internal static class Eventually
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    /// <summary>Until a statement answers true, for a minute and a half at most.</summary>
    public static async Task TrueAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        // The server waits between two looks, in a block that sees a new snapshot with each.
        await using var wait = new NpgsqlCommand(
            $"""
            DO $wait$
            BEGIN
              FOR look IN 1..{Limit.TotalMilliseconds / 50:0} LOOP
                IF ({sql}) THEN RETURN; END IF;
                PERFORM pg_sleep(0.05);
              END LOOP;
              RAISE EXCEPTION 'it never came true: %', $sql${sql}$sql$;
            END
            $wait$
            """,
            connection)
        {
            CommandTimeout = 0,
        };
        await wait.ExecuteNonQueryAsync();
    }
}
