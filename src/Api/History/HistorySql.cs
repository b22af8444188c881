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

/// <summary>One row of the timeline, with what it is ordered by.</summary>
/// <param name="Source">0 for a change, 1 for a run: at one instant the change is the later.</param>
/// <param name="Key">Its id within the source.</param>
internal sealed record HistoryRow(HistoryItem Item, long Source, string Key);

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
         WHERE c.agency_id = @agency AND (c.changed_at, c.id) < (@changes_before, @changes_before_id)
           AND c.changed_at >= @from AND (@kind IS NULL OR c.kind = @kind)
         ORDER BY c.changed_at DESC, c.id DESC
         LIMIT @rows)
        """;

    private const string Runs =
        """
        (SELECT r.completed_at, 1, 'run', r.requested_by, r.reason, NULL, NULL, r.id
         FROM agency_runs r
         WHERE r.agency_id = @agency AND (r.completed_at, r.id) < (@runs_before, @runs_before_id)
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

    /// <summary>Reads up to so many rows after the keys of one, or from the newest on.</summary>
    /// <param name="session">The caller's.</param>
    /// <param name="query">Which rows.</param>
    /// <param name="timezone">The agency's zone, for what has none of its own.</param>
    /// <param name="after">The keys of the row before.</param>
    /// <param name="rows">How many.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public static Task<IReadOnlyList<HistoryRow>> ReadAsync(
        CallerSession session, HistoryQuery query, string timezone, object?[]? after, int rows,
        CancellationToken cancellationToken) => session.ReadAsync(
        PageSql(query),
        reader => Read(reader, timezone),
        cancellationToken,
        [.. Parameters(query, after, rows)]);

    /// <summary>How many rows there are, counted up to one more than a file may have.</summary>
    public static async Task<long> CountAsync(
        CallerSession session, HistoryQuery query, CancellationToken cancellationToken) =>
        (await session.ReadAsync(
            $"SELECT count(*) FROM (SELECT FROM ({Sources(query)}) AS h LIMIT @rows) AS found",
            reader => reader.GetInt64(0),
            cancellationToken,
            [.. Parameters(query, null, Csv.MostRows + 1)]))[0];

    public static object?[] KeysOf(HistoryRow row) => [row.Item.At.Instant, row.Source, row.Key];

    /// <summary>Whether a cursor's keys are those of a row, beyond what their kinds say.</summary>
    public static bool AreKeys(object?[] keys) => keys switch
    {
        [Instant, 0L, string id] => long.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out _),
        [Instant, 1L, string id] => Guid.TryParseExact(id, "D", out _),
        _ => false,
    };

    internal static string PageSql(HistoryQuery query) => $"{Columns}\n{Sources(query)}\n{Rest}";

    internal static List<NpgsqlParameter> Parameters(HistoryQuery query, object?[]? after, int rows)
    {
        // What comes after a change at its instant: changes with smaller ids, then all runs. After a run: runs only.
        var before = (Instant?)after?[0];
        var isRun = after is [_, 1L, _];
        var changeId = after is [_, 0L, string change] ? long.Parse(change, CultureInfo.InvariantCulture) : 0;
        var runId = isRun ? Guid.Parse((string)after![2]!) : before is null ? Guid.Empty : LastGuid;
        var end = query.To is { } to && (before is null || to < before) ? to : (Instant?)null;
        return
        [
            new("agency", query.Agency),
            new("rows", rows),
            new("kind", NpgsqlDbType.Text) { Value = (object?)query.Change ?? DBNull.Value },
            At("from", query.From ?? Instant.MinValue),
            At("changes_before", end ?? before ?? Instant.MaxValue),
            new("changes_before_id", end is null ? changeId : 0),
            At("runs_before", end ?? before ?? Instant.MaxValue),
            new("runs_before_id", end is null ? runId : Guid.Empty),
        ];
    }

    private static string Sources(HistoryQuery query) => (query.HasChanges, query.HasRuns) switch
    {
        (true, true) => $"{Changes}\nUNION ALL\n{Runs}",
        (true, false) => Changes,
        // The first branch of a union names the columns: alone, the runs stand behind no change at all.
        _ => $"{Changes.Replace("WHERE ", "WHERE false AND ", StringComparison.Ordinal)}\nUNION ALL\n{Runs}",
    };

    private static NpgsqlParameter At(string name, Instant at) => new(name, NpgsqlDbType.TimestampTz) { Value = at };

    private static HistoryRow Read(NpgsqlDataReader reader, string timezone)
    {
        const int run = 7;
        var at = reader.GetFieldValue<Instant>(0);
        var source = reader.GetInt32(1);
        var ledger = source == 1 ? LedgerItem.Read(reader, run) : null;
        var item = new HistoryItem(
            DatabaseWord.InAnswers(reader.GetString(2)),
            WallTime.At(at, ledger?.Timezone ?? timezone),
            reader.TextOrNull(3),
            reader.TextOrNull(4),
            ledger,
            reader.TextOrNull(5) is { } details ? JsonSerializer.Deserialize<JsonElement>(details) : null);
        return new HistoryRow(
            item,
            source,
            ledger?.Id.ToString() ?? reader.GetInt64(6).ToString(CultureInfo.InvariantCulture));
    }
}
