using System.Globalization;
using NodaTime;
using Npgsql;

namespace Actors.Silo.Doctor;

/// <summary>
/// The signs of life of the active silos, each written by its silo's own clock, against the database's clock: they
/// tell of clocks that are wrong on machines on which nobody has called the doctor.
/// </summary>
internal static class SiloCheck
{
    private const string Subject = "silos";

    /// <summary>More than it takes from a clock to a row; a younger sign may be ahead by as much.</summary>
    private static readonly Duration Ahead = Duration.FromSeconds(2);

    private static readonly Duration FarAhead = Duration.FromSeconds(10);

    /// <summary>A sign of life comes every 5 s, and one that is lost within 15 s.</summary>
    private static readonly Duration Silent = Duration.FromSeconds(15);

    /// <summary>By then the others, if any lives, have declared a dead silo dead.</summary>
    private static readonly Duration LongSilent = Duration.FromSeconds(30);

    private const string Sql =
        """
        SELECT format('%s at %s:%s', silo_name, address, port), i_am_alive_time, clock_timestamp()
        FROM orleans.silos WHERE status = 3
        ORDER BY i_am_alive_time DESC, address, port
        """;

    public static async Task<IReadOnlyList<Finding>> RunAsync(
        NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        // The lines of login and schema tell where it is missing or closed.
        if (!await IsReadableAsync(database, cancellationToken)) return [];
        await using var command = database.CreateCommand(Sql);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var silos = new List<(string Name, Duration Age)>();
        while (await reader.ReadAsync(cancellationToken))
        {
            silos.Add((
                reader.GetString(0), reader.GetFieldValue<Instant>(2) - reader.GetFieldValue<Instant>(1)));
        }

        var anyLives = silos.Any(silo => silo.Age <= Silent);
        var findings = silos.Select(silo => Judge(silo.Name, silo.Age, anyLives)).OfType<Finding>().ToList();
        if (findings.Count > 0) return findings;
        return
        [
            Finding.Ok(Subject, silos.Count == 0
                ? "None is active."
                : string.Create(
                    CultureInfo.InvariantCulture,
                    $"{silos.Count:N0} active; the oldest sign of life is {Seconds(silos[^1].Age)} s old.")),
        ];
    }

    private static Finding? Judge(string silo, Duration age, bool anyLives)
    {
        if (age < -Ahead)
        {
            var sentence = $"The clock of silo {silo} is at least {Seconds(-age)} s ahead of the database's: its "
                + "reminders tick early, and it takes the other silos for dead sooner than they do each other; set it "
                + "by NTP.";
            return age < -FarAhead ? Finding.Problem(Subject, sentence) : Finding.Warning(Subject, sentence);
        }

        if (age <= Silent) return null;
        var silent = $"Silo {silo} gave its last sign of life {Seconds(age)} s ago by the database's clock";
        return anyLives && age > LongSilent
            ? Finding.Problem(
                Subject,
                $"{silent}, and the others have not declared it dead: its clock is behind (then its reminders tick "
                + "late; set it by NTP), or it cannot reach the database (then stop it).")
            : Finding.Warning(
                Subject,
                $"{silent}: it has ended without a word, or its clock is behind; a silo that starts takes it out.");
    }

    private static async Task<bool> IsReadableAsync(NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            """
            SELECT coalesce(has_schema_privilege(to_regnamespace('orleans'), 'USAGE')
              AND has_table_privilege(to_regclass('orleans.silos'), 'SELECT'), false)
            """);
        return (bool)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private static string Seconds(Duration duration) =>
        duration.TotalSeconds.ToString("0", CultureInfo.InvariantCulture);
}
