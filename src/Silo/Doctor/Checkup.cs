using Actors.Grains;
using NodaTime;
using Npgsql;

namespace Actors.Silo.Doctor;

/// <summary>
/// Looks at a database, as one login, and at what the silos have left in it, and tells what needs a hand. It changes
/// nothing. What it reads is bounded by the agencies, the open alerts and the open runs, never by history.
/// </summary>
public static class Checkup
{
    /// <param name="connectionString">The login whose rights are looked at and used.</param>
    /// <param name="time">The clock of this machine, which is compared with the database's.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The findings, in the order in which they are best read; at least one on each subject.</returns>
    /// <exception cref="NpgsqlException">The database does not answer any more.</exception>
    public static async Task<IReadOnlyList<Finding>> RunAsync(
        string connectionString, TimeProvider time, CancellationToken cancellationToken)
    {
        await using var database = GrainDatabase.Connect(connectionString, "actors-doctor");
        var findings = new List<Finding>
        {
            await LoginCheck.RunAsync(database, cancellationToken),
            await SchemaCheck.RunAsync(connectionString, cancellationToken),
            await ClockCheck.RunAsync(database, time, cancellationToken),
        };
        findings.AddRange(await SiloCheck.RunAsync(database, cancellationToken));

        // Where a table is missing or closed to this login, the lines above say so.
        if (!await IsReadableAsync(database, cancellationToken)) return findings;
        var now = Instant.FromDateTimeOffset(time.GetUtcNow());
        findings.AddRange(await ZoneCheck.RunAsync(database, now, cancellationToken));
        findings.AddRange(await ServingCheck.RunAsync(database, cancellationToken));
        return findings;
    }

    private static async Task<bool> IsReadableAsync(NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            """
            SELECT bool_and(coalesce(has_table_privilege(to_regclass('public.' || name), 'SELECT'), false))
            FROM unnest(ARRAY['agencies', 'agency_cutoffs', 'alerts', 'jobs_log', 'sweeps']) AS name
            """);
        return (bool)(await command.ExecuteScalarAsync(cancellationToken))!;
    }
}
