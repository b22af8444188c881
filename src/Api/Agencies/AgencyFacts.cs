using Actors.Api.Access;
using Actors.Api.Answers;
using NodaTime;
using Npgsql;
using NpgsqlTypes;

namespace Actors.Api.Agencies;

/// <summary>What the database says of one agency: its settings, its watermark, and its state at an instant.</summary>
/// <param name="Now">The instant at which <paramref name="State"/> holds, by the database's clock.</param>
/// <param name="NextAt">The stored instant of the next cutoff; null where it is to be computed anew.</param>
/// <param name="PausedBy">Null where it was paused straight in SQL.</param>
internal sealed record AgencyFacts(
    AgencySettings Settings,
    Instant Now,
    string State,
    LocalDate? LastDate,
    Instant? LastAt,
    Instant? NextAt,
    Instant? PausedAt,
    string? PausedReason,
    string? PausedBy,
    int FailedAttempts,
    string? LastError,
    Instant? SetAsideUntil)
{
    private static readonly string Sql =
        $"""
        SELECT {AgencySettings.Columns}, n.now, {AgencyState.At("n.now")},
               c.last_cutoff_date, c.last_cutoff_at, c.next_cutoff_at, c.paused_at, c.paused_reason,
               CASE WHEN c.paused_at IS NOT NULL AND p.kind = 'paused' THEN p.changed_by END,
               coalesce(c.failed_attempts, 0), c.last_error, c.set_aside_until
        FROM agencies a
        CROSS JOIN (SELECT coalesce(@now, now())) AS n (now)
        LEFT JOIN agency_cutoffs c ON c.agency_id = a.id
        LEFT JOIN LATERAL (
          SELECT kind, changed_by FROM agency_changes
          WHERE agency_id = a.id AND kind IN ('paused', 'resumed')
          ORDER BY changed_at DESC, id DESC
          LIMIT 1
        ) AS p ON true
        WHERE a.id = @agency
        """;

    /// <summary>Reads what the caller may see of an agency; null where that is nothing.</summary>
    /// <param name="session">The caller's.</param>
    /// <param name="agency">Which.</param>
    /// <param name="now">At which instant; null for the database's own now.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public static async Task<AgencyFacts?> ReadAsync(
        CallerSession session, Guid agency, Instant? now, CancellationToken cancellationToken) =>
        (await session.ReadAsync(
            Sql,
            Read,
            cancellationToken,
            new NpgsqlParameter("agency", agency),
            new NpgsqlParameter("now", NpgsqlDbType.TimestampTz) { Value = now is { } at ? at : DBNull.Value }))
        .SingleOrDefault();

    private static AgencyFacts Read(NpgsqlDataReader reader) => new(
        AgencySettings.Read(reader, 0),
        reader.GetFieldValue<Instant>(4),
        DatabaseWord.InAnswers(reader.GetString(5)),
        reader.ValueOrNull<LocalDate>(6),
        reader.ValueOrNull<Instant>(7),
        reader.ValueOrNull<Instant>(8),
        reader.ValueOrNull<Instant>(9),
        reader.TextOrNull(10),
        reader.TextOrNull(11),
        reader.GetInt32(12),
        reader.TextOrNull(13),
        reader.ValueOrNull<Instant>(14));
}
