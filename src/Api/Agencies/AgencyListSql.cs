using Actors.Api.Access;
using Actors.Api.Answers;
using Actors.Api.Requests;
using NodaTime;
using Npgsql;
using NpgsqlTypes;

namespace Actors.Api.Agencies;

/// <summary>One agency as it was read.</summary>
/// <param name="Item">As it is answered.</param>
/// <param name="NameKey">What it is ordered by where the order is by name.</param>
internal sealed record AgencyRow(AgencyItem Item, string NameKey);

/// <summary>
/// Reads the list of agencies. A page is one walk along an index from the row before it; a filter that leaves few rows
/// finds them by an index of its own. Only a search looks at every name: at 100,000 agencies some 50 ms.
/// </summary>
internal static class AgencyListSql
{
    private static readonly string State = AgencyState.At("now()");

    private static readonly string Columns =
        $"""
        SELECT a.id, {AgencySettings.Columns}, {State},
               CASE WHEN c.paused_at IS NULL THEN c.next_cutoff_at END, c.last_cutoff_date, c.last_cutoff_at,
               c.paused_at, c.failed_attempts, c.last_error, lower(left(coalesce(a.name, ''), 100))
        """;

    private const string Source = "FROM agencies a JOIN agency_cutoffs c ON c.agency_id = a.id WHERE true";

    /// <summary>Reads up to so many agencies after the keys of one, or from the first on.</summary>
    public static Task<IReadOnlyList<AgencyRow>> ReadAsync(
        CallerSession session, AgencyListQuery query, object?[]? after, int rows, CancellationToken cancellationToken)
    {
        List<NpgsqlParameter> parameters = [new("rows", rows)];
        var sql = PageSql(query, after, parameters);
        return session.ReadAsync(sql, Read, cancellationToken, [.. parameters]);
    }

    /// <summary>How many agencies the filter leaves, counted up to one more than a file may have.</summary>
    public static async Task<long> CountAsync(
        CallerSession session, AgencyListQuery query, CancellationToken cancellationToken)
    {
        List<NpgsqlParameter> parameters = [new("rows", Csv.MostRows + 1)];
        var sql = $"SELECT count(*) FROM (SELECT {Source} {Filter(query, parameters)} LIMIT @rows) AS found";
        return (await session.ReadAsync(
            sql, reader => reader.GetInt64(0), cancellationToken, [.. parameters]))[0];
    }

    /// <summary>The keys after which the page that follows this row begins.</summary>
    public static object?[] KeysOf(AgencyListQuery query, AgencyRow row) => [query.Order.KeyOf(row), row.Item.Id];

    internal static string PageSql(AgencyListQuery query, object?[]? after, List<NpgsqlParameter> parameters)
    {
        var order = query.Order;
        var (comes, direction) = order.IsBackwards ? ("<", "DESC") : (">", "ASC");
        var filter = Filter(query, parameters);
        if (after is not null)
        {
            filter += $" AND ({order.Key}, {order.Id}) {comes} ({order.After}, @after_id)";
            parameters.Add(order.Kind == QueryKind.Instant
                ? new("after_key", NpgsqlDbType.TimestampTz) { Value = after[0] ?? DBNull.Value }
                : new("after_key", NpgsqlDbType.Text) { Value = after[0] ?? "" });
            parameters.Add(new("after_id", NpgsqlDbType.Uuid) { Value = after[1] });
        }

        return $"{Columns} {Source} {filter} ORDER BY {order.Key} {direction}, {order.Id} {direction} LIMIT @rows";
    }

    private static string Filter(AgencyListQuery query, List<NpgsqlParameter> parameters)
    {
        var filter = "";
        if (query.Timezone is { } timezone)
        {
            filter += " AND a.timezone = @timezone";
            parameters.Add(new("timezone", timezone));
        }

        if (query.State is { } state)
        {
            filter += $" AND ({state.Finds}) AND {State} = @state";
            parameters.Add(new("state", state.InDatabase));
        }

        if (query.Search is { } search) filter += Search(search, parameters);
        return filter;
    }

    private static string Search(string search, List<NpgsqlParameter> parameters)
    {
        // Compared byte by byte, which is faster than by the rules of a language, and possible in all of them.
        const string inName = """strpos(lower(a.name) COLLATE "C", lower(@search) COLLATE "C") > 0""";
        const string byId = "a.id BETWEEN @first_id AND @last_id";
        var ids = AgencyListQuery.IdsBeginningWith(search);
        if (ids is not { } range)
        {
            parameters.Add(new("search", search));
            return $" AND {inName}";
        }

        parameters.Add(new("first_id", range.First));
        parameters.Add(new("last_id", range.Last));
        if (range.First == range.Last) return $" AND {byId}";
        parameters.Add(new("search", search));
        return $" AND ({byId} OR {inName})";
    }

    private static AgencyRow Read(NpgsqlDataReader reader)
    {
        var settings = AgencySettings.Read(reader, 1);
        var item = new AgencyItem(
            reader.GetGuid(0),
            settings.Name,
            settings.Timezone,
            settings.OverdueCutoffTime,
            settings.DueSoonThresholdDays,
            DatabaseWord.InAnswers(reader.GetString(5)),
            WallTime.At(reader.ValueOrNull<Instant>(6), settings.Timezone),
            reader.ValueOrNull<LocalDate>(7),
            WallTime.At(reader.ValueOrNull<Instant>(8), settings.Timezone),
            reader.ValueOrNull<Instant>(9),
            reader.GetInt32(10),
            reader.TextOrNull(11));
        return new AgencyRow(item, reader.GetString(12));
    }
}
