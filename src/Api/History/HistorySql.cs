using System.Globalization;
using System.Text.Json;
using Actors.Api.Access;
using Actors.Api.Agencies;
using Actors.Api.Answers;
using Actors.Api.Requests;
using NodaTime;
using Npgsql;
using NpgsqlTypes;

namespace Actors.Api.History;

/// <summary>Which part of an agency's history is asked for.</summary>
/// <param name="Agency">Whose.</param>
/// <param name="From">From this instant on; null for all.</param>
/// <param name="To">Before this instant; null for all.</param>
/// <param name="Kind">Of this kind; null for all.</param>
internal sealed record HistoryQuery(Guid Agency, Instant? From, Instant? To, string? Kind)
{
    public const string Run = "run";

    /// <summary>The kinds as the API spells them, and as `agency_changes` does.</summary>
    private static readonly Dictionary<string, string> Changes =
        ((string[])["created", "settings_changed", "paused", "resumed", "run_undone", "deleted"])
        .ToDictionary(DatabaseWord.InAnswers);

    public static IEnumerable<string> Kinds => Changes.Keys.Prepend(Run);

    public bool HasRuns => Kind is null or Run;

    public bool HasChanges => Kind is not Run;

    /// <summary>The kind of change in the database's word; null for all.</summary>
    public string? Change => Kind is { } kind ? Changes.GetValueOrDefault(kind) : null;
}

/// <summary>
/// Reads the two sources of an agency's history as one timeline, the newest first. Each source is walked along its own
/// index from where the page before ended, and gives no more rows than the page holds: what is older is not touched.
/// </summary>
internal static class HistorySql
{
    public static readonly QueryKind[] KeyKinds = [QueryKind.Instant, QueryKind.Number, QueryKind.Text];

    private const string Columns =
        $"""
        SELECT h.at, h.source, h.kind, h.by, h.reason, h.details::text, h.change_id,
               {LedgerItem.Columns}
        FROM (
        """;

    private const string Changes =
        """
        (SELECT c.changed_at AS at, 0 AS source, c.kind, c.changed_by AS by, c.reason, c.details, c.id AS change_id,
                NULL::uuid AS run_id
         FROM agency_changes c
         WHERE c.agency_id = @agency AND (c.changed_at, c.id) < (@before, @before_change)
           AND c.changed_at >= @from AND (@kind IS NULL OR c.kind = @kind)
         ORDER BY c.changed_at DESC, c.id DESC
         LIMIT @rows)
        """;

    private const string Runs =
        """
        (SELECT r.completed_at AS at, 1 AS source, 'run' AS kind, r.requested_by AS by, r.reason,
                NULL::jsonb AS details, NULL::bigint AS change_id, r.id AS run_id
         FROM agency_runs r
         WHERE r.agency_id = @agency AND (r.completed_at, r.id) < (@before, @before_run)
           AND r.completed_at >= @from
         ORDER BY r.completed_at DESC, r.id DESC
         LIMIT @rows)
        """;

    private const string Rest =
        """
        ) AS h
        LEFT JOIN agency_runs r ON r.id = h.run_id
        LEFT JOIN agency_run_undos u ON u.agency_run_id = h.run_id
        ORDER BY h.at DESC, h.source, h.change_id DESC, h.run_id DESC
        LIMIT @rows
        """;

    /// <summary>No row has it.</summary>
    private static readonly Guid LastGuid = Guid.Parse("ffffffff-ffff-ffff-ffff-ffffffffffff");

    /// <summary>The history of a query, behind the keys of a row or from the newest on.</summary>
    public static ListSql Of(HistoryQuery query, object?[]? after)
    {
        // What comes after a change at its instant: changes with smaller ids, then all runs. After a run: runs only.
        var before = (Instant?)after?[0];
        var changeId = after is [_, 0L, string change] ? long.Parse(change, CultureInfo.InvariantCulture) : 0;
        var runId = after is [_, 1L, string run] ? Guid.Parse(run) : before is null ? Guid.Empty : LastGuid;
        var end = query.To is { } to && (before is null || to < before) ? to : (Instant?)null;
        var sql = new ListSql($"{Columns}\n{Sources(query)}\n{Rest}");
        sql.With("agency", NpgsqlDbType.Uuid, query.Agency);
        sql.With("from", NpgsqlDbType.TimestampTz, query.From ?? Instant.MinValue);
        sql.With("before", NpgsqlDbType.TimestampTz, end ?? before ?? Instant.MaxValue);
        if (query.HasChanges)
        {
            sql.With("kind", NpgsqlDbType.Text, query.Change);
            sql.With("before_change", NpgsqlDbType.Bigint, end is null ? changeId : 0);
        }

        if (query.HasRuns) sql.With("before_run", NpgsqlDbType.Uuid, end is null ? runId : Guid.Empty);
        return sql;
    }

    /// <summary>Whether a cursor's keys are those of a row, beyond what their kinds say.</summary>
    public static bool AreKeys(object?[] keys) => keys switch
    {
        [Instant, 0L, string id] => long.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out _),
        [Instant, 1L, string id] => Guid.TryParseExact(id, "D", out _),
        _ => false,
    };

    private static string Sources(HistoryQuery query) =>
        string.Join("\nUNION ALL\n", ((string?[])[query.HasChanges ? Changes : null, query.HasRuns ? Runs : null])
            .Where(source => source is not null));

    /// <summary>Makes an item of a row.</summary>
    /// <param name="reader">It stands at the row.</param>
    /// <param name="timezone">The agency's zone, for what has none of its own.</param>
    public static HistoryItem Read(NpgsqlDataReader reader, string timezone)
    {
        const int run = 7;
        var at = reader.GetFieldValue<Instant>(0);
        var ledger = reader.GetInt32(1) == 1 ? LedgerItem.Read(reader, run) : null;
        return new HistoryItem(
            DatabaseWord.InAnswers(reader.GetString(2)),
            WallTime.At(at, ledger?.Timezone ?? timezone),
            reader.TextOrNull(3),
            reader.TextOrNull(4),
            ledger,
            reader.TextOrNull(5) is { } details ? JsonSerializer.Deserialize<JsonElement>(details) : null)
        {
            Keys = ledger is null ? [at, 0L, $"{reader.GetInt64(6)}"] : [at, 1L, $"{ledger.Id}"],
        };
    }
}
