using Actors.Api.Access;
using NodaTime;
using Npgsql;
using NpgsqlTypes;

namespace Actors.Api.Agencies;

/// <summary>Reads and writes the settings of an agency, as the caller.</summary>
internal static class AgencySettingsSql
{
    private const string Select =
        $"""
        SELECT {AgencySettings.Columns}, c.last_cutoff_date
        FROM agencies a
        LEFT JOIN agency_cutoffs c ON c.agency_id = a.id
        WHERE a.id = @agency
        """;

    private const string Insert =
        """
        INSERT INTO agencies (id, name, timezone, overdue_cutoff_time, due_soon_threshold_days)
        VALUES (@agency, @name, @timezone, @cutoff_time, @days)
        ON CONFLICT (id) DO NOTHING
        """;

    /// <summary>
    /// Only what is still as it was read is changed: who waits here for another's change finds the row different.
    /// </summary>
    private const string Update =
        """
        UPDATE agencies
        SET name = @name, timezone = @timezone, overdue_cutoff_time = @cutoff_time, due_soon_threshold_days = @days
        WHERE id = @agency AND name IS NOT DISTINCT FROM @old_name AND timezone = @old_timezone
          AND overdue_cutoff_time = @old_cutoff_time AND due_soon_threshold_days = @old_days
        """;

    /// <summary>The settings and the latest date that was served; null where the caller sees no such agency.</summary>
    public static async Task<(AgencySettings Settings, LocalDate? LastDate)?> ReadAsync(
        CallerSession session, Guid agency, CancellationToken cancellationToken)
    {
        var rows = await session.ReadAsync(
            Select,
            reader => (AgencySettings.Read(reader, 0), reader.ValueOrNull<LocalDate>(4)),
            cancellationToken,
            new NpgsqlParameter("agency", agency));
        return rows.Count == 0 ? null : rows[0];
    }

    /// <summary>Adds an agency; answers false where the id is taken.</summary>
    public static async Task<bool> AddAsync(
        CallerSession session, Guid agency, AgencySettings settings, CancellationToken cancellationToken)
    {
        await using var command = session.CreateCommand(Insert);
        command.Parameters.AddWithValue("agency", agency);
        AddTo(command, settings, "");
        return await command.ExecuteNonQueryAsync(cancellationToken) == 1;
    }

    /// <summary>Changes an agency; answers false where it is no longer what it was.</summary>
    public static async Task<bool> ChangeAsync(
        CallerSession session, Guid agency, AgencySettings from, AgencySettings to,
        CancellationToken cancellationToken)
    {
        await using var command = session.CreateCommand(Update);
        command.Parameters.AddWithValue("agency", agency);
        AddTo(command, from, "old_");
        AddTo(command, to, "");
        return await command.ExecuteNonQueryAsync(cancellationToken) == 1;
    }

    private static void AddTo(NpgsqlCommand command, AgencySettings settings, string prefix)
    {
        command.Parameters.AddWithValue(
            prefix + "name", NpgsqlDbType.Text, (object?)settings.Name ?? DBNull.Value);
        command.Parameters.AddWithValue(prefix + "timezone", NpgsqlDbType.Text, settings.Timezone);
        command.Parameters.AddWithValue(prefix + "cutoff_time", NpgsqlDbType.Time, settings.OverdueCutoffTime);
        command.Parameters.AddWithValue(prefix + "days", settings.DueSoonThresholdDays);
    }
}
